"""What two looks at a node and its containers say of the second between them, and how seconds become steps of a history. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from contracts.errors import Invalid, Problem
from contracts.figures import NodeFigures
from contracts.spans import span_in, window

STEP = 10
"""Seconds of the finest step that is kept."""
KEPT = timedelta(days=1)
SHOWN = 360
"""Points of an answer at most, where the caller names no step."""
STEPS = (10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600)
FOREIGN = re.compile(r"lo|docker.*|br-.*|veth.*|vx-.*|ifb\d+|virbr.*|b[ap][0-9a-f]{4}(-.*)?")
"""Interfaces that are not the node's own: loopback, Docker's, and the bridges of any Berth."""


@dataclass(frozen=True, slots=True)
class NodeLook:
    """Counters at one moment. at, busy, total: seconds (busy and total over all cores); received, sent: bytes since it started."""

    at: float
    busy: float
    total: float
    memory_used: int
    memory_total: int
    load: float
    received: int
    sent: int
    disk_used: int | None = None
    disk_total: int | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """A container's counters at one moment. cpu: seconds of one core since it started; memory, limit: bytes."""

    at: float
    cpu: float
    memory: int
    limit: int | None = None


def of_node(before: NodeLook, now: NodeLook) -> NodeFigures | None:
    """None: no time lies between the two, or a counter went back."""
    seconds, total = now.at - before.at, now.total - before.total
    if seconds <= 0 or total <= 0 or now.busy < before.busy:
        return None
    return NodeFigures(
        cpu=round(min(100.0, 100 * (now.busy - before.busy) / total), 2),
        memory_used=now.memory_used,
        memory_total=now.memory_total,
        load=round(now.load, 2),
        disk_used=now.disk_used,
        disk_total=now.disk_total,
        received=round(max(0, now.received - before.received) / seconds, 1),
        sent=round(max(0, now.sent - before.sent) / seconds, 1),
    )


def cpu_of(before: Look | None, now: Look) -> float | None:
    """Percent of one core between the two. None: it cannot be told yet, so nothing is said."""
    if before is None or now.at <= before.at or now.cpu < before.cpu:
        return None
    return round(100 * (now.cpu - before.cpu) / (now.at - before.at), 2)


def traffic(text: str) -> tuple[int, int]:
    """(received, sent) bytes of the node's own interfaces, out of /proc/<pid>/net/dev."""
    received = sent = 0
    for line in text.splitlines():
        name, colon, rest = line.partition(":")
        columns = rest.split()
        if colon and len(columns) >= 9 and not FOREIGN.fullmatch(name.strip()):
            received, sent = received + int(columns[0]), sent + int(columns[8])
    return received, sent


@dataclass(frozen=True, slots=True)
class Step:
    """What was seen from `time` on for the step's length: means of so many `samples`, and the greatest.

    Of a container: cpu in percent of one core. Of a node: percent of all cores; load, disk, received and sent too.
    """

    time: datetime
    samples: int
    cpu: float
    cpu_max: float
    memory: float
    memory_max: float
    load: float | None = None
    disk: float | None = None
    received: float | None = None
    sent: float | None = None


MEANS = ("cpu", "memory", "load", "disk", "received", "sent")


def joined(a: Step, b: Step) -> Step:
    """Of both, as if seen in one step that begins where `a` does. What one of them lacks is the other's."""
    samples = a.samples + b.samples

    def mean(name: str) -> float | None:
        x: float | None = getattr(a, name)
        y: float | None = getattr(b, name)
        return y if x is None else x if y is None else (x * a.samples + y * b.samples) / samples

    means: Mapping[str, float | None] = {name: mean(name) for name in MEANS}
    greatest = {"cpu_max": max(a.cpu_max, b.cpu_max), "memory_max": max(a.memory_max, b.memory_max)}
    return Step(time=a.time, samples=samples, **means, **greatest)  # type: ignore[arg-type]


def begin_of(time: datetime, seconds: int = STEP) -> datetime:
    """Of the step that a moment lies in: steps begin at multiples of their length since 1970."""
    return datetime.fromtimestamp(int(time.timestamp() // seconds) * seconds, UTC)


def asked(since: str, until: str, step: str, now: datetime) -> tuple[datetime, datetime, int]:
    """(since, until, seconds a step) of a query; by default the last hour, in steps that make at most 360 points.

    Invalid: with every problem.
    """
    problems: list[Problem] = []
    begin = end = now
    try:
        begin, end, _ = window(since, until, "", now)
        end = end if until else now
    except Invalid as error:
        problems += error.problems
    seconds = span_in(step) if step else 0
    if step and (not seconds or seconds % STEP):
        rule = f"A step is a multiple of {STEP} seconds, such as 10s, 1m or 1h: finer ones are not kept."
        problems.append(Problem(path="step", value=step, rule=rule))
    begin = max(begin, now - KEPT - timedelta(seconds=STEP)) if not problems else begin
    if not problems and begin >= end:
        rule = "The time asked for lies more than a day back: figures are kept for a day."
        problems.append(Problem(path="until", value=until, rule=rule))
    if problems:
        raise Invalid("The time asked for is not valid.", problems)
    length = (end - begin).total_seconds()
    return begin, end, seconds or next((s for s in STEPS if length / s <= SHOWN), STEPS[-1])
