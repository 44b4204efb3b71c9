"""Installations of this machine, which need no login by their own root."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from bootstrapper.installation import Installation, all_known
from cli.failure import Failure

ADMIN = "admin"


@dataclass(frozen=True)
class Here:
    name: str
    url: str
    ca: str
    _installation: Installation

    @property
    def ca_file(self) -> Path:
        return self._installation.home / "ca.crt"

    def login(self) -> tuple[str, str]:
        """The administrator's username and password, which root may read."""
        from bootstrapper.vault import Vault

        try:
            people = Vault(self._installation).people()
        except PermissionError as error:
            raise Failure(f"Only root may use installation {self.name} without a login.", f"berth login {self.url}") from error
        except FileNotFoundError as error:
            raise Failure(f"Installation {self.name} has no logins yet.", f"berth up --name {self.name}") from error
        found = [(user, password) for user, group, password in people if group == ADMIN]
        if not found:
            raise Failure(f"Installation {self.name} has no administrator of its own.", f"berth login {self.url}")
        return found[0]


def installations(root: Path) -> list[Here]:
    return [_of(one) for one in all_known(root) if (one.home / "ca.crt").exists()]


def by_url(root: Path, url: str) -> Here | None:
    """The one that answers at this address, if it is on this machine."""
    parts = urlsplit(url)
    found = [h for h in installations(root) if urlsplit(h.url).port == parts.port]
    return next((h for h in found if parts.hostname in ("localhost", "127.0.0.1", h._installation.address)), None)


def only(root: Path, name: str = "") -> Here:
    """The only one, or the one of this name."""
    found = installations(root)
    chosen = [h for h in found if name in ("", h.name)]
    if len(chosen) == 1:
        return chosen[0]
    if name:
        raise Failure(f"No installation {name} is to be seen in {root}.", "berth login URL")
    if not found:
        raise Failure("Nobody is logged in, and this machine shows no installation.", "berth login URL, or ./berth up as root.")
    names = ", ".join(f"{h.name} ({h.url})" for h in found)
    raise Failure(f"Nobody is logged in, and there are several installations: {names}.", f"berth login {found[0].url}, or --at NAME")


def _of(one: Installation) -> Here:
    return Here(one.name, f"https://localhost:{one.port('https')}", (one.home / "ca.crt").read_text(), one)
