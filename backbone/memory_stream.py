"""A request in this process whose bodies are passed on part by part: what the peers' memory twin streams with."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from backbone.peers import Streamed

AHEAD = 4


class Open:
    """One open exchange; at most a few parts of the answer wait to be read."""

    def __init__(self, body: AsyncIterator[bytes] | None) -> None:
        self._body: AsyncIterator[bytes] | None = body or _nothing()
        self._left = asyncio.Event()
        self.started: asyncio.Future[tuple[int, dict[str, str]]] = asyncio.get_running_loop().create_future()
        self.parts: asyncio.Queue[bytes | None] = asyncio.Queue(AHEAD)

    async def receive(self) -> Any:
        if self._body is not None:
            part = await anext(self._body, None)
            if part is not None:
                return {"type": "http.request", "body": part, "more_body": True}
            self._body = None
            return {"type": "http.request", "body": b"", "more_body": False}
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def send(self, part: Any) -> None:
        if part["type"] == "http.response.start":
            told = {k.decode("latin1").lower(): v.decode("latin1") for k, v in part["headers"]}
            self.started.set_result((part["status"], told))
            return
        if part.get("body"):
            await self.parts.put(part["body"])
        if not part.get("more_body", False):
            await self.parts.put(None)

    def leave(self) -> None:
        self._left.set()

    async def body(self) -> AsyncIterator[bytes]:
        while (part := await self.parts.get()) is not None:
            yield part


async def _nothing() -> AsyncIterator[bytes]:
    none: tuple[bytes, ...] = ()
    for part in none:
        yield part


@asynccontextmanager
async def served(app: Any, scope: dict[str, Any], opened: Open) -> AsyncIterator[Streamed]:
    """What the app raises before it answers is raised here."""
    task = asyncio.ensure_future(app(scope, opened.receive, opened.send))
    try:
        await asyncio.wait({task, opened.started}, return_when=asyncio.FIRST_COMPLETED)
        if not opened.started.done():
            await task
        status, told = await opened.started
        yield Streamed(status, told, opened.body())
    finally:
        opened.leave()
        task.cancel()
        with suppress(asyncio.CancelledError, Exception):
            await task
