"""Server-sent events: ids to resume by, comments as signs of life; they end with the process and with the token."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic_core import to_json
from starlette.responses import StreamingResponse

from backbone.live import Call
from backbone.logs import get_log
from contracts.errors import BerthError

log = get_log()

HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
CHECK = 0.5
HEARTBEAT = 10.0
RETRY = b"retry: 500\n\n"


@dataclass(frozen=True)
class Event:
    """`data` is a model or anything JSON can hold; `last` ends the stream after it."""

    data: Any
    id: str = ""
    name: str = ""
    last: bool = False

    def encoded(self) -> bytes:
        lines = [f"id: {self.id}"] if self.id else []
        lines += [f"event: {self.name}"] if self.name else []
        return ("\n".join(lines) + "\n" * bool(lines)).encode() + b"data: " + to_json(self.data) + b"\n\n"


Look = Callable[[str], Sequence[Event]]


def last_id(call: Call) -> str:
    """Where the client stopped: the header Last-Event-ID, or ?after= ("" at first)."""
    return call.request.headers.get("last-event-id") or call.query.get("after", "")


async def watch(call: Call, look: Look, every: float = 0.5) -> StreamingResponse:
    """Events found by asking: `look(id of the last one given)` answers what is new since, on a thread of the pool.

    It is asked every so many seconds, and at once after `live.news()`. What it raises the first time is the answer.
    """
    first = await call.stored(look, last_id(call))

    async def found() -> AsyncIterator[Event]:
        batch, last = first, last_id(call)
        while True:
            for event in batch:
                last = event.id or last
                yield event
            if await call.live.until(every):
                return
            batch = await call.stored(look, last)

    return events(call, found())


def events(call: Call, source: AsyncIterator[Event]) -> StreamingResponse:
    """Events as they come from an async iterator."""
    return StreamingResponse(_lines(call, source), media_type="text/event-stream", headers=HEADERS)


async def _lines(call: Call, source: AsyncIterator[Event]) -> AsyncIterator[bytes]:
    """`retry` makes a client that was cut off by a restart come back soon, to another replica."""
    yield RETRY
    waited, coming = 0.0, asyncio.ensure_future(anext(source, None))
    try:
        while not call.live.closing and call.backbone.tokens.valid(call.claims):
            done, _ = await asyncio.wait({coming}, timeout=CHECK)
            if done:
                event, waited = coming.result(), 0.0
                if event is None:
                    return
                yield event.encoded()
                if event.last:
                    return
                coming = asyncio.ensure_future(anext(source, None))
                continue
            waited += CHECK
            if waited >= HEARTBEAT:
                waited = 0.0
                yield b": still here\n\n"
    except BerthError as error:
        log.info("events_ended", reason=error.detail)
    finally:
        coming.cancel()
