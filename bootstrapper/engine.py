"""Docker's HTTP interface over its socket: what the bootstrapper declares, it sends as it is, whole."""

from __future__ import annotations

import base64
import http.client
import json
import socket
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlencode

from bootstrapper.shell import Failed

SOCKET = "/var/run/docker.sock"
VERSION = "v1.41"
Json = Any


class _Connection(http.client.HTTPConnection):
    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(SOCKET)


class Refused(Failed):
    """Docker answered with an error; `status` is its HTTP status."""

    def __init__(self, status: int, what: str, why: str) -> None:
        super().__init__(f"Docker refused {what}: {why} ({status})")
        self.status = status


class Engine:
    """One call, one connection: safe from several threads."""

    def __init__(self, seconds: float = 120) -> None:
        self._seconds = seconds
        self.login({})

    def login(self, auth: Mapping[str, str]) -> None:
        """What Docker is told for pushes and for services: username, password, serveraddress."""
        self._auth = base64.urlsafe_b64encode(json.dumps(dict(auth)).encode()).decode()

    def _open(self, method: str, path: str, query: dict[str, Any] | None, body: Json) -> http.client.HTTPResponse:
        connection = _Connection("docker", timeout=self._seconds)
        tail = (
            "?" + urlencode({k: v if isinstance(v, str) else json.dumps(v) for k, v in query.items()}) if query else ""
        )
        headers = {"X-Registry-Auth": self._auth, "Content-Type": "application/json", "Connection": "close"}
        data = None if body is None else json.dumps(body).encode()
        try:
            connection.request(method, f"/{VERSION}{quote(path, safe='/:@')}{tail}", data, headers)
            answer = connection.getresponse()
        except OSError as error:
            raise Failed(f"Docker does not answer on {SOCKET}: {error}", "berth doctor") from error
        if answer.status >= 400:
            text = answer.read().decode(errors="replace")
            try:
                why = json.loads(text)["message"]
            except (ValueError, KeyError, TypeError):
                why = text[:300]
            raise Refused(answer.status, f"{method} {path}", why)
        return answer

    def call(self, method: str, path: str, body: Json = None, **query: Any) -> Json:
        with self._open(method, path, query, body) as answer:
            text = answer.read()
        return json.loads(text) if text.strip() else None

    def raw(self, path: str, **query: Any) -> bytes:
        with self._open("GET", path, query, None) as answer:
            return answer.read()

    def post_raw(self, path: str, body: Json) -> bytes:
        with self._open("POST", path, None, body) as answer:
            return answer.read()

    def find(self, path: str, **query: Any) -> Json:
        """None only where Docker says that there is no such thing: an absent daemon is not an absent image."""
        try:
            return self.call("GET", path, **query)
        except Refused as refused:
            if refused.status == 404:
                return None
            raise

    def remove(self, path: str, **query: Any) -> bool:
        try:
            self.call("DELETE", path, **query)
        except Refused as refused:
            if refused.status != 404:
                raise
            return False
        return True

    def lines(self, method: str, path: str, **query: Any) -> Iterator[Json]:
        """An answer that comes in JSON lines (push, import); an `error` line is raised."""
        with self._open(method, path, query, None) as answer:
            for line in answer:
                if not line.strip():
                    continue
                said = json.loads(line)
                if "error" in said:
                    raise Failed(f"Docker's {path} failed: {said['error']}")
                yield said

    def lives(self) -> bool:
        try:
            self.call("GET", "/version")
        except Failed:
            return False
        return True
