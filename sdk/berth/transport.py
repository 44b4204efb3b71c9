"""How the SDK reaches the platform: HTTPS with the app's token. A test, or a world in one process, puts another in its place."""

from __future__ import annotations

import http.client
import json
import os
import ssl
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlencode, urlsplit

from berth.errors import BerthError, NotBound, NotOnBerth, Refused, Unavailable

TOKEN_FILE = "/run/secrets/berth_token"
CA_FILE = "/run/secrets/berth_ca.crt"
API = "/api/v1"
TIMEOUT = 10.0
SILENCE = 40.0  # the platform sends at least a comment each 15 s on an open stream


@dataclass(frozen=True)
class Event:
    """One server-sent event; `id` is what to resume after."""

    id: str
    name: str
    data: str


class Transport(Protocol):
    def get(self, path: str, query: Mapping[str, str]) -> Any:
        """The JSON answer of GET /api/v1<path>. NotBound, Refused, Unavailable, BerthError."""

    def events(self, path: str, query: Mapping[str, str], last: str) -> Iterator[Event]:
        """The events after `last` ("" for from now on) until the stream ends. As `get`."""


class HttpTransport:
    """Keeps one connection for questions; each stream has its own."""

    def __init__(self, url: str, token: str, ca_file: str | None = None) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise NotOnBerth(f"BERTH_URL is {url!r}; it must be like https://platform:8443.")
        self._host, self._tls = parts.hostname, parts.scheme == "https"
        self._port = parts.port or (443 if self._tls else 80)
        self._base = parts.path.rstrip("/") + API
        self._token, self._ca = token, ca_file
        self._context: ssl.SSLContext | None = None
        self._lock = threading.Lock()
        self._kept: http.client.HTTPConnection | None = None

    @classmethod
    def from_environment(cls) -> HttpTransport:
        """BERTH_URL, and the token and CA that the platform mounts; BERTH_TOKEN_FILE and BERTH_CA_FILE say other places."""
        url = os.environ.get("BERTH_URL", "")
        if not url:
            raise NotOnBerth("BERTH_URL is not set: this app does not run on Berth. Deploy it, or set berth.transport.")
        token_file = os.environ.get("BERTH_TOKEN_FILE", TOKEN_FILE)
        ca_file = os.environ.get("BERTH_CA_FILE", CA_FILE)
        try:
            with open(token_file, encoding="ascii") as file:
                token = file.read().strip()
        except OSError as error:
            raise NotOnBerth(f"The app's token cannot be read from {token_file}: {error.strerror}.") from error
        return cls(url, token, ca_file if os.path.exists(ca_file) else None)

    def get(self, path: str, query: Mapping[str, str]) -> Any:
        with self._lock:
            try:
                status, body = self._ask(path, query)
            except (OSError, http.client.HTTPException) as error:
                self._drop()
                raise Unavailable(f"{self._host}:{self._port} does not answer: {error or type(error).__name__}.") from error
        return answered(status, body)

    def events(self, path: str, query: Mapping[str, str], last: str) -> Iterator[Event]:
        connection = self._connect(SILENCE)
        try:
            headers = {"Accept": "text/event-stream", **({"Last-Event-ID": last} if last else {})}
            connection.request("GET", self._target(path, query), headers=self._headers(headers))
            response = connection.getresponse()
            if response.status != 200:
                answered(response.status, response.read())
            yield from parsed(response)
        except (OSError, http.client.HTTPException) as error:
            raise Unavailable(f"The stream from {self._host}:{self._port} broke: {error or type(error).__name__}.") from error
        finally:
            connection.close()

    def _ask(self, path: str, query: Mapping[str, str]) -> tuple[int, bytes]:
        """A kept connection may have been closed by the other side meanwhile: then once again on a new one."""
        kept, target = self._kept, self._target(path, query)
        if kept is not None:
            try:
                return _asked(kept, target, self._headers())
            except (OSError, http.client.HTTPException):
                self._drop()
        self._kept = self._connect(TIMEOUT)
        return _asked(self._kept, target, self._headers())

    def _connect(self, timeout: float) -> http.client.HTTPConnection:
        if not self._tls:
            return http.client.HTTPConnection(self._host, self._port, timeout=timeout)
        if self._context is None:
            self._context = ssl.create_default_context(cafile=self._ca)
        return http.client.HTTPSConnection(self._host, self._port, timeout=timeout, context=self._context)

    def _drop(self) -> None:
        if self._kept is not None:
            self._kept.close()
        self._kept = None

    def _target(self, path: str, query: Mapping[str, str]) -> str:
        return f"{self._base}{path}?{urlencode(query)}" if query else self._base + path

    def _headers(self, more: dict[str, str] | None = None) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}", "Accept": "application/json", **(more or {})}


def _asked(connection: http.client.HTTPConnection, target: str, headers: dict[str, str]) -> tuple[int, bytes]:
    connection.request("GET", target, headers=headers)
    response = connection.getresponse()
    return response.status, response.read()


def answered(status: int, body: bytes) -> Any:
    """The JSON of a good answer; otherwise the error with the platform's own words."""
    if status == 200:
        return json.loads(body)
    try:
        detail = str(json.loads(body).get("detail") or "")
    except (ValueError, AttributeError):
        detail = ""
    detail = detail or f"The platform answered {status}."
    kind = {401: Refused, 403: Refused, 404: NotBound}.get(status, Unavailable if status >= 500 or status == 429 else BerthError)
    raise kind(detail)


def parsed(lines: Any) -> Iterator[Event]:
    """Server-sent events from lines of bytes (WHATWG HTML, 9.2.6)."""
    id, name = "", ""
    data: list[str] = []
    for raw in lines:
        line = raw.decode("utf-8").rstrip("\r\n")
        if not line:
            if data:
                yield Event(id, name or "message", "\n".join(data))
            name, data = "", []
            continue
        field, _, value = line.partition(":")
        value = value[1:] if value.startswith(" ") else value
        if field == "data":
            data.append(value)
        elif field == "event":
            name = value
        elif field == "id":
            id = value


_used: Transport | None = None


def set(transport: Transport | None) -> None:
    """From now on the SDK asks `transport`; None goes back to the one from the environment."""
    global _used
    _used = transport


def current() -> Transport:
    global _used
    if _used is None:
        _used = HttpTransport.from_environment()
    return _used
