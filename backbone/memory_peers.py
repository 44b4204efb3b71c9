"""The peers' memory twin: routes in this process, to the ASGI app of the subsystem that the table of routes names."""

from __future__ import annotations

import asyncio
import json as jsons
import threading
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

from backbone.memory_stream import Open, served
from backbone.peers import PREFIX, Answer, Streamed, headers
from contracts import roles
from contracts.errors import Unavailable

FINISHED = 60.0


class MemoryPeers:
    """Also the client that tests use. `token` is the default (a subsystem's); `away` holds sources that do not answer."""

    def __init__(self) -> None:
        self.token = ""
        self.away: set[str] = set()
        self._apps: dict[str, Any] = {}

    def attach(self, source: str, app: Any) -> None:
        """`source` is the subsystem, or subsystem.role, as in contracts.roles."""
        self._apps[source] = app

    def app(self, source: str) -> Any:
        """What was attached."""
        return self._apps[source]

    def get(self, path: str, token: str | None = None) -> Answer:
        return self.ask("GET", path, token=token)

    def post(self, path: str, json: Any = None, token: str | None = None) -> Answer:
        return self.ask("POST", path, jsons.dumps(json).encode() if json is not None else b"", token)

    def delete(self, path: str, token: str | None = None) -> Answer:
        return self.ask("DELETE", path, token=token)

    def ask(self, method: str, path: str, body: bytes = b"", token: str | None = None, more: Mapping[str, str] | None = None) -> Answer:
        """A whole request; `more` are further headers."""
        return self._run(method, path, body, token, more or {}, None)

    def events(self, path: str, most: int, token: str | None = None, more: Mapping[str, str] | None = None) -> list[Any]:
        """The data of the first `most` server-sent events (fewer where the stream ends), then the line is cut."""
        answer = self._run("GET", path, b"", token, more or {}, most).check()
        return [jsons.loads(line[6:]) for line in answer.body.decode().splitlines() if line.startswith("data: ")][:most]

    @asynccontextmanager
    async def stream(
        self,
        method: str,
        path: str,
        token: str | None = None,
        body: AsyncIterator[bytes] | None = None,
        more: Mapping[str, str] | None = None,
    ) -> AsyncIterator[Streamed]:
        """In the loop of the caller, part by part, as over a wire."""
        given = {"host": "memory", **headers(self.token if token is None else token), **(more or {})}
        app = self._app(method, PREFIX + path)
        async with served(app, _scope(method, PREFIX + path, given), Open(body)) as opened:
            yield opened

    def _run(self, method: str, path: str, body: bytes, token: str | None, more: Mapping[str, str], events: int | None) -> Answer:
        path = path if path.startswith("/api/") else PREFIX + path
        given = {
            "host": "memory",
            "content-type": "application/json",
            **headers(self.token if token is None else token),
            **more,
        }
        exchange = _Exchange(body, events)
        return _in_a_loop(exchange, self._app(method, path), _scope(method, path, given))

    def _app(self, method: str, path: str) -> Any:
        """Like the front door: the path decides, also where the method is not served."""
        where = urlsplit(path).path
        routes = [roles.matching(m, where) for m in (method, "GET", "POST", "DELETE")]
        owner = next((r.owner for r in routes if r is not None), "")
        if owner in self.away or owner not in self._apps:
            raise Unavailable(f"{method} {where}: no answer from {owner or 'anybody'}.")
        return self._apps[owner]


class _Exchange:
    """One request and its answer; with `events` the client leaves after so many."""

    def __init__(self, body: bytes, events: int | None) -> None:
        self._parts = [{"type": "http.request", "body": body, "more_body": False}]
        self._most, self._left = events, asyncio.Event()
        self.status, self.headers, self.body = 0, {}, bytearray()  # type: ignore[var-annotated]

    async def receive(self) -> Any:
        if self._parts:
            return self._parts.pop()
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def send(self, part: Any) -> None:
        if part["type"] == "http.response.start":
            self.status = part["status"]
            self.headers = {k.decode("latin1").lower(): v.decode("latin1") for k, v in part["headers"]}
            return
        self.body += part.get("body", b"")
        enough = self._most is not None and self.body.count(b"\ndata: ") >= self._most
        if enough or not part.get("more_body", False):
            self._left.set()

    def answer(self) -> Answer:
        return Answer(self.status, bytes(self.body), self.headers)


def _scope(method: str, path: str, given: Mapping[str, str]) -> dict[str, Any]:
    parts = urlsplit(path)
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": parts.path,
        "raw_path": parts.path.encode(),
        "query_string": parts.query.encode(),
        "root_path": "",
        "headers": [(k.lower().encode(), v.encode()) for k, v in given.items()],
        "server": ("memory", 80),
        "client": ("memory", 1),
    }


def _in_a_loop(exchange: _Exchange, app: Any, scope: dict[str, Any]) -> Answer:
    """In a loop of its own; on a thread of its own where this one already has a loop."""

    def run() -> None:
        asyncio.run(asyncio.wait_for(app(scope, exchange.receive, exchange.send), FINISHED))

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        run()
    else:
        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
    return exchange.answer()


class PeersAs:
    """The same twin with another token by default: one subsystem's own view of it."""

    def __init__(self, peers: MemoryPeers, token: str) -> None:
        self._peers, self._token = peers, token

    def get(self, path: str, token: str | None = None) -> Answer:
        return self._peers.get(path, self._token if token is None else token)

    def post(self, path: str, json: Any = None, token: str | None = None) -> Answer:
        return self._peers.post(path, json, self._token if token is None else token)

    def delete(self, path: str, token: str | None = None) -> Answer:
        return self._peers.delete(path, self._token if token is None else token)

    def stream(
        self,
        method: str,
        path: str,
        token: str | None = None,
        body: AsyncIterator[bytes] | None = None,
        more: Mapping[str, str] | None = None,
    ) -> AbstractAsyncContextManager[Streamed]:
        return self._peers.stream(method, path, self._token if token is None else token, body, more)
