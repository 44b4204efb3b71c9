"""Live news of a page: the parts that changed, as HTML by the id of their element, over server-sent events."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from typing import Any

from starlette.responses import StreamingResponse

from backbone.live_events import HEADERS, RETRY
from backbone.logs import get_log
from contracts.errors import BerthError
from platform_ui.session_live import Visit

log = get_log()
EVERY = 1.0
ALIVE = 10.0

News = dict[str, Any]
"""`parts` (id -> HTML), `said` (a sentence for who cannot see), `lines` and `points` to add, `end`, `go` (another page)."""

Parts = Mapping[str, str]


def stream(visit: Visit, source: AsyncIterator[News | None]) -> StreamingResponse:
    """None is a sign of life. Ends with the process or the session; the browser comes back by itself."""

    async def sent() -> AsyncIterator[bytes]:
        yield RETRY
        coming = asyncio.ensure_future(anext(source, {"over": True}))
        waited = 0.0
        try:
            while not visit.live.closing:
                done, _ = await asyncio.wait({coming}, timeout=0.5)
                if not done:
                    waited += 0.5
                    if waited >= ALIVE:
                        waited = 0.0
                        if await visit.live.stored(visit.site.store.session, visit.person.session) is None:
                            return
                        yield b": still here\n\n"
                    continue
                news = coming.result()
                if news is not None and "over" in news:
                    return
                if news is not None:
                    yield b"data: " + json.dumps(news, separators=(",", ":")).encode() + b"\n\n"
                coming = asyncio.ensure_future(anext(source, {"over": True}))
        except BerthError as error:
            log.info("news_ended", path=visit.request.url.path, reason=error.detail)
        finally:
            coming.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await coming

    return StreamingResponse(sent(), media_type="text/event-stream", headers=HEADERS)


async def looked(visit: Visit, look: Callable[[], Parts], every: float = EVERY) -> AsyncIterator[News | None]:
    """Asks every second on a thread of the pool, and gives what differs from the time before."""
    before: dict[str, str] = {}
    while True:
        parts = await visit.live.stored(look)
        changed = {id: html for id, html in parts.items() if before.get(id) != html}
        before = dict(parts)
        yield {"parts": changed} if changed else None
        if await visit.live.until(every):
            return


def changed(before: dict[str, str], parts: Parts) -> News | None:
    """What differs; `before` is brought up to date."""
    new = {id: html for id, html in parts.items() if before.get(id) != html}
    before.update(parts)
    return {"parts": new} if new else None


async def events(visit: Visit, path: str, last: str = "") -> AsyncIterator[tuple[str, Any]]:
    """(event, data) of one of the API's event streams, with the person's token."""
    async for _, name, data in numbered(visit, path, last):
        yield name, data


async def numbered(visit: Visit, path: str, last: str = "") -> AsyncIterator[tuple[str, str, Any]]:
    """(id, event, data): the id is what one goes on after, with `last`."""
    more = {"accept": "text/event-stream"} | ({"last-event-id": last} if last else {})
    async with visit.site.backbone.peers.stream("GET", path, await visit.token(), None, more) as opened:
        if opened.status >= 400:
            (await opened.whole()).check()
        id, name, data, rest = last, "", "", b""
        async for part in opened.body:
            *lines, rest = (rest + part).split(b"\n")
            for line in (raw.decode() for raw in lines):
                if line.startswith("id:"):
                    id = line[3:].strip()
                elif line.startswith("event:"):
                    name = line[6:].strip()
                elif line.startswith("data:"):
                    data += line[5:].strip()
                elif not line and data:
                    yield id, name, json.loads(data)
                    name, data = "", ""
                elif not line:
                    name = ""


async def merged(*sources: AsyncIterator[News | None]) -> AsyncIterator[News | None]:
    """Whichever comes first; ends when all have ended. A source that fails ends alone, the others go on."""
    waiting = {asyncio.ensure_future(anext(source, {"over": True})): source for source in sources}
    try:
        while waiting:
            done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                source = waiting.pop(task)
                try:
                    news = task.result()
                except BerthError as error:
                    log.info("news_source_ended", reason=error.detail)
                    continue
                if news is not None and "over" in news:
                    continue
                yield news
                waiting[asyncio.ensure_future(anext(source, {"over": True}))] = source
    finally:
        for task in waiting:
            task.cancel()
