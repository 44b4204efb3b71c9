"""HTTP: lines that were, how many there were when, and those that come."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import timedelta
from typing import Any, ParamSpec, TypeVar

from starlette.responses import Response

from backbone.backbone import Backbone
from backbone.live import Call, Live, as_json, live_route
from backbone.live_events import Event, events, last_id
from contracts.errors import Unavailable
from contracts.lines import LEVELS
from contracts.topics import LINES
from logger.hub import Hub, Subscriber
from logger.model import Shards, Shown, shown
from logger.model_asked import Histogram, Tail, counts_asked, page_asked, tail_asked
from logger.model_place import Place, place_of
from logger.store import LineStore, Span

P = ParamSpec("P")
T = TypeVar("T")
WAIT = 5.0
CATCH_UP = 5_000
ASKING = 3
"""Searches at once, on threads of their own: of the four connections one is left for keeping, and /ready never waits for a search."""
AGAIN = 0.2


class Api:
    def __init__(self, backbone: Backbone, store: LineStore, hub: Hub) -> None:
        self._backbone, self._clock, self._store, self._hub = backbone, backbone.clock, store, hub
        self._searching = Live(ASKING)

    def routes(self, live: Live) -> Sequence[Any]:
        paths = {"": self.lines, "/counts": self.counts, "/events": self.events}
        return [live_route("GET", f"/api/v1/lines{path}", call, self._backbone, live) for path, call in paths.items()]

    async def lines(self, call: Call) -> Response:
        """Kept lines, the newest first (`order=oldest`: the oldest).

        Chosen by workspace, kind, app, deployment, release, service, instance, node, correlation; `level` (this and worse),
        `text` (contained in text or facts, small letters and capitals alike), `since`, `until` (RFC 3339, or how long ago:
        15m); `limit` up to 1000; `next` goes on where the page before ended. Staff see all lines, others those of apps and
        builds in their workspaces.
        """
        page = page_asked(call.query, call.claims.readable, self._clock.now())
        found = await self._found(self._store.find, page.filter, page.after, page.newest, page.limit)
        next = found[-1].cursor.text if len(found) == page.limit else ""
        return as_json({"items": [one.as_json() for one in found], "next": next})

    async def counts(self, call: Call) -> Response:
        """How many lines of each level there were, in at most 120 steps; the filters of /lines, by default the last hour."""
        asked = counts_asked(call.query, call.claims.readable, self._clock.now())
        found = await self._found(self._store.counts, asked.filter, asked.step)
        return as_json({"step": asked.step, "items": _buckets(asked, found)})

    async def events(self, call: Call) -> Response:
        """Lines as they come, by the filters of /lines; first the newest `last` that are kept, in order of time.

        Goes on after Last-Event-ID without a gap. An event `dropped` says how many were left out, because the reader was
        too slow or has been away for too long.
        """
        asked, place = tail_asked(call.query, call.claims.readable, self._clock.now()), place_of(last_id(call))
        subscriber = Subscriber(asked.filter)
        joined = await call.stored(self._hub.join, subscriber)
        return events(call, self._tail(call, asked, place, subscriber, joined))

    async def _found(self, ask: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Unavailable says what to do, where it is the question that takes too long."""
        try:
            return await self._searching.stored(ask, *args, **kwargs)
        except Unavailable as error:
            if "statement timeout" in error.detail:
                raise Unavailable("This took longer than 5 s to find. Ask for a shorter time (since=6h), or for a longer text.") from error
            raise

    async def _tail(self, call: Call, asked: Tail, place: Place | None, subscriber: Subscriber, joined: bool) -> AsyncIterator[Event]:
        try:
            while not joined:
                if await call.live.until(AGAIN):
                    return
                joined = await call.stored(self._hub.join, subscriber)
            start: dict[int, int] = dict(place.next) if place else {}
            async for span, at in self._kept(call, asked, place):
                if span.left_out:
                    yield Event({"count": span.left_out}, name="dropped")
                for one in span.lines:
                    yield _event(one, Place(at.next, at.low, one.cursor))
                start = _later(start, at.next)
            at_now = dict(start)
            while not subscriber.lost:
                dropped, came = await subscriber.more(WAIT)
                if dropped:
                    yield Event({"count": dropped}, name="dropped")
                for entry in came:
                    if entry.place >= start.get(entry.shard, 0):
                        at_now[entry.shard] = max(at_now.get(entry.shard, 0), entry.place + 1)
                        yield _event(shown(entry), Place(at_now))
        finally:
            self._hub.leave(subscriber)

    async def _kept(self, call: Call, asked: Tail, place: Place | None) -> AsyncIterator[tuple[Span, Place]]:
        """What is kept of the tail, with the place that its events stand at: the newest few, or all since it stopped."""
        find = self._store.span
        if place is None:
            span = await call.stored(find, asked.filter, {}, None, None, asked.last)
            yield span, Place(span.shards)
            return
        if place.after is not None:
            yield await call.stored(find, asked.filter, place.low, place.next, place.after, CATCH_UP), Place(place.next, place.low)
        span = await call.stored(find, asked.filter, _whole(place.next), None, None, CATCH_UP)
        yield span, Place(_later(place.next, span.shards), place.next)


def _event(one: Shown, place: Place) -> Event:
    return Event(one.as_json(), place.text, "line")


def _later(one: Shards, other: Shards) -> dict[int, int]:
    return {shard: max(one.get(shard, 0), other.get(shard, 0)) for shard in {*one, *other}}


def _whole(shards: Shards) -> dict[int, int]:
    """With every partition: one that is not named stood at its beginning."""
    return {shard: shards.get(shard, 0) for shard in range(LINES.partitions)}


def _buckets(asked: Histogram, found: dict[tuple[Any, int], int]) -> list[dict[str, Any]]:
    times = [asked.first + timedelta(seconds=asked.step * n) for n in range(asked.count)]
    return [
        {"time": time.strftime("%Y-%m-%dT%H:%M:%SZ"), **{name: found.get((time, n), 0) for n, name in enumerate(LEVELS)}} for time in times
    ]
