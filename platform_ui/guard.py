"""Keeps browsers' requests honest: the cookie, the origin, the form's token, the headers of every page."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from urllib.parse import urlsplit

from contracts.errors import Forbidden

SECURE = "__Host-berth"
PLAIN = "berth-plain"
LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class Guard:
    """`public` is the platform's own address. Without TLS there is a session only on loopback, under another cookie's name."""

    public: str

    @property
    def secure(self) -> bool:
        return urlsplit(self.public).scheme == "https"

    @property
    def cookie(self) -> str:
        return SECURE if self.secure else PLAIN

    @property
    def first_cookie(self) -> str:
        """Before a login: only ties the login form to its browser."""
        return self.cookie + "-first"

    def same_origin(self, origin: str, site: str, host: str) -> None:
        """`origin` and `site` as the browser says them (Origin, Sec-Fetch-Site). Forbidden: another page writes here.

        Where a browser says nothing, the form's token must do.
        """
        if site in ("cross-site", "same-site") or (origin and urlsplit(origin).netloc not in {host, urlsplit(self.public).netloc}):
            raise Forbidden("A page of another address tried to change something here; nothing was changed.")


def same_token(given: str, expected: str) -> None:
    """Forbidden: the form is not of this session."""
    if not expected or not hmac.compare_digest(given.encode(), expected.encode()):
        raise Forbidden("This form is of another session, or too old; nothing was changed. Load the page again.")


def page_headers(nonce: str) -> dict[str, str]:
    """Scripts, styles and pictures of our own only; the one inline script carries the nonce."""
    policy = (
        "default-src 'none'; "
        f"script-src 'self' 'nonce-{nonce}'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    return {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
        "Cache-Control": "no-store",
    }
