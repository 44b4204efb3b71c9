"""The sensors that a deployment is bound to, by the name of the need in its berth.yml: newest values, history, stream."""

from __future__ import annotations

import json
import math
import os
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from berth import transport
from berth.errors import Unavailable

Span = float | int | str | timedelta
"""Seconds, a timedelta, or text such as 30s, 15m, 6h, 7d."""

FIRST_PAUSE, LONGEST_PAUSE = 0.2, 10.0
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


@dataclass(frozen=True)
class Sensor:
    """`sensor` is its global id, `key` its device's own name for it, `place` a path such as hq/floor-1/room-101."""

    sensor: str
    key: str
    kind: str
    place: str
    device: str
    unit: str


@dataclass(frozen=True)
class Reading(Sensor):
    """`value` is a number (booleans are 0 and 1), text or an object; `time` is UTC."""

    time: datetime
    value: Any


@dataclass(frozen=True)
class Bucket:
    """The numbers from `time` on, for the bucket's length."""

    time: datetime
    mean: float
    minimum: float
    maximum: float
    count: int


@dataclass(frozen=True)
class History(Sensor):
    """`points` in order of time: (time, value) each, or buckets where they were asked for."""

    points: tuple[Any, ...]


class Sensors:
    """The sensors under one name of `sensors:` in berth.yml."""

    def __init__(self, need: str) -> None:
        self.need = need
        self._stop = threading.Event()

    def bound(self) -> list[Sensor]:
        """Which ones they are. They stay the same for the life of this instance."""
        return needs().get(self.need, [])

    def latest(self) -> list[Reading]:
        """The newest reading of each sensor that has one. NotBound, Refused, Unavailable."""
        answer = transport.current().get("/streams/latest", {"need": self.need})
        return [_reading(item) for item in answer["items"]]

    def history(self, since: Span | datetime, bucket: Span | None = None) -> list[History]:
        """Each sensor's readings since then (a moment, or how long ago), or their mean, minimum and maximum per bucket."""
        query = {"need": self.need, "since": _moment(since)}
        if bucket is not None:
            query["bucket"] = f"{int(seconds_of(bucket))}s"
        answer = transport.current().get("/streams/history", query)
        return [History(*_sensor(item), points=tuple(map(_point, item["points"]))) for item in answer["items"]]

    def stream(self, broadcast: bool = False) -> Iterator[Reading]:
        """Readings as they come, for ever; goes on where it stopped when the connection breaks. At least once.

        The instances of one service share the work: each sensor's readings go to one of them. With `broadcast` each
        instance gets all. Refused and NotBound end it; `close` does too.
        """
        query = {"need": self.need}
        if not broadcast:
            query["share"] = os.environ.get("BERTH_SERVICE", "app")
        last, pause = "", FIRST_PAUSE
        while not self._stop.is_set():
            try:
                for event in transport.current().events("/streams/events", query, last):
                    last, pause = event.id or last, FIRST_PAUSE
                    if event.name == "reading":
                        yield _reading(json.loads(event.data))
                    if self._stop.is_set():
                        return
            except Unavailable:
                pause = min(LONGEST_PAUSE, pause * 2)
            self._stop.wait(pause)

    def close(self) -> None:
        """Ends `stream` after the reading in hand."""
        self._stop.set()


def sensors(need: str) -> Sensors:
    """The sensors bound under this name of `sensors:` in berth.yml."""
    return Sensors(need)


def needs() -> dict[str, list[Sensor]]:
    """Every need of the deployment with its sensors."""
    answer = transport.current().get("/streams/needs", {})
    return {need: [Sensor(*_sensor(item)) for item in items] for need, items in answer.items()}


def seconds_of(span: Span) -> float:
    """ValueError: not a span of time."""
    if isinstance(span, timedelta):
        return span.total_seconds()
    if isinstance(span, (int, float)):
        return float(span)
    try:
        return float(span[:-1]) * _UNITS[span[-1:]]
    except (KeyError, ValueError):
        raise ValueError(f"{span!r} is not a span of time such as 30s, 15m, 6h or 7d") from None


def _moment(since: Span | datetime) -> str:
    """How long ago is counted by the platform's clock, not by this one."""
    if not isinstance(since, datetime):
        return f"{max(1, math.ceil(seconds_of(since)))}s"
    return since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def _sensor(item: Mapping[str, Any]) -> tuple[str, str, str, str, str, str]:
    return (item["sensor"], item["key"], item["kind"], item["place"], item["device"], item["unit"])


def _reading(item: Mapping[str, Any]) -> Reading:
    return Reading(*_sensor(item), time=_time(item["time"]), value=item["value"])


def _point(point: Mapping[str, Any]) -> Any:
    if "mean" in point:
        return Bucket(_time(point["time"]), point["mean"], point["minimum"], point["maximum"], point["count"])
    return (_time(point["time"]), point["value"])
