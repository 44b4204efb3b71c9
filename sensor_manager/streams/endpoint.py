"""HTTP for apps: what a deployment is bound to, the newest readings, history, and the stream. The app's token says whose."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

from starlette.responses import Response

from backbone.backbone import Backbone
from backbone.bus import partition_of
from backbone.live import Call, Live, as_json, live_route
from backbone.live_events import Event, events, last_id
from contracts.errors import Invalid, NotFound, Problem
from contracts.messages.deployment import BoundSensor
from contracts.spans import window
from contracts.topics import STREAMS
from sensor_manager.shown import latest_of, points_of, time_text
from sensor_manager.storage import ReadingStore
from sensor_manager.streams.bindings import Bindings, Needs
from sensor_manager.streams.hub import Hub, Position, Routed, Subscriber, routed_of

MOST_POINTS = 10_000
WAIT = 5.0
CAUGHT_UP = 0.5  # seconds without a record after which a resuming reader has seen all


class Endpoint:
    def __init__(self, backbone: Backbone, bindings: Bindings, readings: ReadingStore, hub: Hub) -> None:
        self._backbone, self._bindings, self._readings, self._hub = backbone, bindings, readings, hub

    def routes(self, live: Live) -> Sequence[Any]:
        paths = {"needs": self.needs, "latest": self.latest, "history": self.history, "events": self.events}
        return [live_route("GET", f"/api/v1/streams/{name}", call, self._backbone, live) for name, call in paths.items()]

    async def needs(self, call: Call) -> Response:
        """Each need of the deployment with the sensors bound to it."""
        return as_json(await self._needs(call) or {})

    async def latest(self, call: Call) -> Response:
        """The newest reading of each sensor of `?need=` that has one."""
        sensors = await self._need(call)
        return as_json({"items": await call.stored(latest_of, self._readings, list(sensors))})

    async def history(self, call: Call) -> Response:
        """Readings of `?need=` since a moment or so long ago, per sensor; with `bucket` mean, minimum and maximum for each."""
        sensors = await self._need(call)
        query = call.query
        span = (query.get("since", ""), query.get("until", ""), query.get("bucket", ""))
        since, until, seconds = window(*span, self._backbone.clock.now())

        def look() -> list[dict[str, Any]]:
            return [
                {**s.model_dump(), "points": points_of(self._readings, s.sensor, since, until, seconds, MOST_POINTS)}
                for s in sensors
            ]

        return as_json({"items": await call.stored(look)})

    async def events(self, call: Call) -> Response:
        """Readings of `?need=` as they come, from now on or after Last-Event-ID. With `?share=` they are divided among all
        open streams of that name. At least once."""
        sensors = {s.sensor: s for s in await self._need(call)}
        after = _position(last_id(call))
        subscriber = Subscriber(call.claims.subject, frozenset(sensors), call.query.get("share", ""))
        self._hub.join(subscriber)
        return events(call, self._lines(call, subscriber, sensors, after))

    async def _lines(
        self, call: Call, subscriber: Subscriber, sensors: dict[str, BoundSensor], after: Position | None
    ) -> AsyncIterator[Event]:
        last = after or (-1, -1)
        try:
            if after is not None:
                async for routed in self._missed(call, subscriber, after):
                    last = routed.position
                    yield _event(sensors[routed.reading.s], routed)
            while not subscriber.lost:
                for routed in await subscriber.more(WAIT):
                    if routed.position > last:  # what was caught up with is here again
                        last = routed.position
                        yield _event(sensors[routed.reading.s], routed)
        finally:
            self._hub.leave(subscriber)

    async def _missed(self, call: Call, subscriber: Subscriber, after: Position) -> AsyncIterator[Routed]:
        """From Kafka, by a reader of its own for as long as it takes to reach what the tail gives."""
        place = (STREAMS.name, partition_of(STREAMS, subscriber.deployment.encode()))
        reader = await call.stored(self._backbone.records.consumer, None, [STREAMS], {place: after[0]})
        try:
            while batch := await call.stored(reader.poll, 1_000, CAUGHT_UP):
                for record in batch:
                    if record.key.decode("utf-8", "replace") != subscriber.deployment:
                        continue
                    for routed in self._hub.wanted(subscriber, routed_of(record)):
                        if routed.position > after:
                            yield routed
                if subscriber.waiting and subscriber.waiting[0].position <= (batch[-1].offset, 0):
                    return
        finally:
            await call.stored(reader.close)

    async def _needs(self, call: Call) -> Needs | None:
        return await call.stored(self._bindings.needs, call.claims.subject, call.claims.generation)

    async def _need(self, call: Call) -> tuple[BoundSensor, ...]:
        named, needs = call.query.get("need", ""), await self._needs(call)
        if needs is None:
            raise NotFound("This generation has no sensors: it was replaced or stopped, or asked for none.")
        if named not in needs:
            raise NotFound(f"berth.yml has no need {named!r} under sensors; it has {', '.join(sorted(needs)) or 'none'}.")
        return needs[named]


def _event(sensor: BoundSensor, routed: Routed) -> Event:
    reading = routed.reading
    value = reading.o if reading.v is None else reading.v
    data = {**sensor.model_dump(), "time": time_text(reading.time), "value": value}
    return Event(data, f"{routed.position[0]}.{routed.position[1]}", "reading")


def _position(id: str) -> Position | None:
    """None: from now on. Invalid: it is no id of ours."""
    if not id:
        return None
    offset, _, index = id.partition(".")
    if not (offset.isascii() and offset.isdigit() and index.isascii() and index.isdigit() and len(id) < 40):
        rule = "Last-Event-ID is the id of an event of this stream, such as 1024.0."
        raise Invalid(rule, [Problem(path="Last-Event-ID", value=id[:40], rule=rule)])
    return int(offset), int(index)
