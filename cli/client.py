"""The wire to a platform: HTTPS with its CA, and what went wrong in words. The only place that imports httpx."""

from __future__ import annotations

import secrets
import ssl
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

import httpx

from cli.failure import Failure, answered
from cli.sse import Event, parsed

API = "/api/v1"
CA_FILE = "/var/lib/berth/<installation>/ca.crt"
PART = 256 * 1024
BROKEN = "Broken off"
"""Title of a failure after which nothing is known of what was asked."""
TIMEOUT = httpx.Timeout(30.0, connect=10.0)
SILENCE = httpx.Timeout(30.0, connect=10.0)
"""The platform says at least a comment each 10 s on an open stream."""


@dataclass(frozen=True)
class Reply:
    status: int
    text: str
    json: Any


class Wire:
    """All requests of one command bear one trace, so that the platform's logs show them as one action."""

    def __init__(self, url: str, ca: str = "", transport: httpx.BaseTransport | None = None) -> None:
        self.url, self.trace = url, secrets.token_hex(16)
        self._http = httpx.Client(
            base_url=url + API, verify=_trust(url, ca), timeout=TIMEOUT, trust_env=False, transport=transport,
            headers={"User-Agent": "berth-cli", "traceparent": f"00-{self.trace}-{self.trace[:16]}-01"},
        )  # fmt: skip

    def ask(
        self, method: str, path: str, token: str = "", json: Any = None, query: Mapping[str, Any] | None = None, key: str = ""
    ) -> Reply:
        """Whatever is answered. Failure: nothing is, or not by Berth. A POST with a key may be sent twice and counts once."""
        headers = _bearing(token) | ({"Idempotency-Key": key} if key else {})
        with self._said(f"{method} {path}"):
            return _reply(self._http.request(method, path, json=json, params=_given(query), headers=headers))

    def upload(self, path: str, file: BinaryIO, size: int, token: str, query: Mapping[str, Any], told: Callable[[int], None]) -> Reply:
        """The file from its beginning, part by part from the disk; `told` hears how many bytes went."""
        headers = _bearing(token) | {"Content-Type": "application/zip", "Content-Length": str(size)}
        with self._said(f"POST {path}"):
            return _reply(self._http.post(path, content=_parts(file, told), params=_given(query), headers=headers))

    def events(self, path: str, token: str, last: str) -> Iterator[Event]:
        """Server-sent events after `last`, until the stream ends. Failure: refused, or broken."""
        headers = _bearing(token) | {"Accept": "text/event-stream"} | ({"Last-Event-ID": last} if last else {})
        with self._said(f"GET {path}"), self._http.stream("GET", path, headers=headers, timeout=SILENCE) as response:
            if response.status_code != 200:
                response.read()
                reply = _reply(response)
                raise answered(reply.status, reply.json, f"GET {path}")
            yield from parsed(response.iter_lines())

    def _said(self, asked: str) -> _Said:
        return _Said(self.url, asked)


class _Said:
    """Turns what httpx raises into sentences: what, where, what to do."""

    def __init__(self, url: str, asked: str) -> None:
        self._url, self._asked = url, asked

    def __enter__(self) -> None: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        if isinstance(error, httpx.HTTPError | httpx.InvalidURL | ssl.SSLError):
            raise self._failure(error) from error

    def _failure(self, error: Exception) -> Failure:
        text = str(error) or type(error).__name__
        if "CERTIFICATE_VERIFY_FAILED" in text:
            reason = text.split("verify failed: ")[-1].split(" (_ssl")[0]
            hint = f"Pass its CA: berth login {self._url} --ca FILE; on its machine it is {CA_FILE}."
            return Failure(f"{self._url} shows a certificate that is not trusted: {reason}.", hint)
        if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout) and "SSL" not in text:
            return Failure(f"{self._url} does not answer: {text}.", "Check the address; on its machine `berth status` and `berth up`.")
        if isinstance(error, httpx.TimeoutException):
            hint = "Try again; `berth doctor` on its machine looks for why."
            return Failure(f"{self._url} gave no answer to {self._asked} in time.", hint, {"title": BROKEN})
        return Failure(
            f"The connection to {self._url} broke at {self._asked}: {text}.", "Check that the address is Berth's.", {"title": BROKEN}
        )


def _trust(url: str, ca: str) -> ssl.SSLContext | bool:
    if not url.startswith("https://"):
        return False  # nothing to verify: plain HTTP, which `login` takes on loopback alone
    try:
        return ssl.create_default_context(cadata=ca or None)
    except ssl.SSLError as error:
        raise Failure(f"The CA's file holds no certificate: {error.reason}.", "Pass a PEM file to --ca.") from error


def _bearing(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"} if token else {}


def _given(query: Mapping[str, Any] | None) -> dict[str, str]:
    return {name: str(value) for name, value in (query or {}).items() if value not in ("", None)}


def _parts(file: BinaryIO, told: Callable[[int], None]) -> Iterator[bytes]:
    file.seek(0)
    while part := file.read(PART):
        yield part
        told(len(part))


def _reply(response: httpx.Response) -> Reply:
    try:
        return Reply(response.status_code, response.text, response.json())
    except ValueError:
        return Reply(response.status_code, response.text, None)
