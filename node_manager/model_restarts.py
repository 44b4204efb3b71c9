"""How often instances of a service ended without being ordered to, out of who was seen and how many were wanted. Pure.

A generation's instances are as many as its order said; Swarm starts another for each that ended, so whoever comes beyond
that number is a restart, whatever the order in which the news arrives.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

Doc = dict[str, Any]
RECENT = 200
GENERATIONS = 20
DAY = timedelta(days=1)
HOUR = "%Y-%m-%dT%H"


def begun(deployment: str, service: str) -> Doc:
    """`wanted` and `seen` by generation, `restarts` by hour, `recent` the instances seen last."""
    return {"deployment": deployment, "service": service, "wanted": {}, "seen": {}, "recent": [], "restarts": {}}


def ordered(doc: Doc, generation: int, instances: int) -> Doc:
    wanted = {**doc["wanted"], str(generation): instances}
    kept = sorted(wanted, key=int)[-GENERATIONS:]
    seen = {g: n for g, n in doc["seen"].items() if g in kept}
    return {**doc, "wanted": {g: wanted[g] for g in kept}, "seen": seen}


def seen(doc: Doc, generation: int, instance: str, now: datetime) -> Doc:
    """An instance shows itself, for the first time or again. Of a generation whose order is not known nothing is said."""
    g = str(generation)
    if instance in doc["recent"] or g not in doc["wanted"]:
        return doc
    count = doc["seen"].get(g, 0) + 1
    restarts = {hour: n for hour, n in doc["restarts"].items() if hour >= (now - DAY).strftime(HOUR)}
    if count > doc["wanted"][g]:
        hour = now.strftime(HOUR)
        restarts[hour] = restarts.get(hour, 0) + 1
    recent = [*doc["recent"], instance][-RECENT:]
    return {**doc, "seen": {**doc["seen"], g: count}, "recent": recent, "restarts": restarts}


def restarts(doc: Doc, now: datetime) -> int:
    """Of the last day, to the hour."""
    first = (now - DAY).strftime(HOUR)
    return sum(n for hour, n in doc["restarts"].items() if hour > first)
