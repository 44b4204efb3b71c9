"""A device's readings as charts and sparklines: nothing is invented, a quiet sensor's line ends. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

MOST = 12
FROM_ZERO = ("%", "ppm", "lx", "W")


@dataclass(frozen=True)
class Span:
    key: str
    name: str
    since: str
    bucket: str
    seconds: int
    length: int


SPANS = {
    s.key: s
    for s in (
        Span("15m", "15 min", "15m", "5s", 5, 900),
        Span("1h", "1 h", "1h", "15s", 15, 3600),
        Span("1d", "1 d", "1d", "5m", 300, 86_400),
        Span("7d", "7 d", "7d", "30m", 1800, 604_800),
    )
}


@dataclass(frozen=True)
class Chart:
    """`said` is the sentence for who cannot see it."""

    sensor: str
    title: str
    unit: str
    data: dict[str, Any]
    said: str


def charts(device: Mapping[str, Any], told: Sequence[Mapping[str, Any]], span: Span, now: datetime) -> list[Chart]:
    made = []
    for n, (sensor, answer) in enumerate(zip(device["sensors"], told)):
        points = answer["items"]
        x, y = gapped([(at(p["time"]), p.get("mean", p.get("value"))) for p in points], span.seconds)
        x, y = framed(x, y, span, now.timestamp())
        known = [v for v in y if isinstance(v, (int, float))]
        if not known:
            continue
        low, high, unit = min(known), max(known), sensor["unit"]
        data: dict[str, Any] = {
            "x": x,
            "series": [{"label": sensor["key"], "unit": unit, "s": n % 6 + 1, "data": y, "fill": unit in FROM_ZERO}],
            "h": 170,
            "left": 44,
        }
        if unit not in FROM_ZERO and low > 0:
            room = max((high - low) * 0.15, abs(high) * 0.01, 0.1)
            data |= {"min": round(low - room, 3), "max": round(high + room, 3)}
        said = f"{sensor['key']} of {device['name']}, last {span.name}, between {low:g} and {high:g} {unit}".strip()
        made.append(Chart(sensor["sensor"], sensor["key"], unit, data, said))
    return made


def gapped(points: Sequence[tuple[float, Any]], seconds: int) -> tuple[list[float], list[float | None]]:
    """Where nothing came for four buckets the line is broken."""
    x: list[float] = []
    y: list[float | None] = []
    for time, value in points:
        if x and time - x[-1] > 4 * seconds:
            x.append(x[-1] + seconds)
            y.append(None)
        x.append(time)
        y.append(_number(value))
    return x, y


def framed(x: list[float], y: list[float | None], span: Span, now: float) -> tuple[list[float], list[float | None]]:
    """The whole span on the axis, also where only a part of it was measured."""
    if x and x[0] > now - span.length + 4 * span.seconds:
        x, y = [round(now - span.length, 3), *x], [None, *y]
    if x and x[-1] < now - 4 * span.seconds:
        x, y = [*x, round(now, 3)], [*y, None]
    return x, y


def sparks(told: Sequence[Mapping[str, Any]]) -> dict[str, list[float | None]]:
    return {answer["sensor"]: [_number(p.get("mean", p.get("value"))) for p in answer["items"]][-60:] for answer in told}


def at(time: str) -> float:
    return round(datetime.fromisoformat(time).timestamp(), 3)


def _number(value: Any) -> float | None:
    if isinstance(value, bool):
        return float(value)
    return round(value, 4) if isinstance(value, (int, float)) else None
