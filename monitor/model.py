"""What silence means: pure decisions over the last heartbeats heard."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from contracts.messages import Beat

QUIET_AFTER = 3.0
FORGET_AFTER = 60.0


@dataclass(frozen=True)
class Heard:
    """The newest beat of a replica and when it came in, by the monitor's own clock."""

    beat: Beat
    at: datetime


def heard(known: Mapping[str, Heard], beat: Beat, now: datetime) -> dict[str, Heard]:
    """With this beat; a replica that has been silent for a minute is forgotten."""
    kept = {r: h for r, h in known.items() if (now - h.at).total_seconds() < FORGET_AFTER}
    return kept | {beat.replica: Heard(beat, now)}


def state_of(one: Heard, now: datetime) -> str:
    """ready, waiting (alive, says why it cannot serve) or silent."""
    if (now - one.at).total_seconds() > QUIET_AFTER:
        return "silent"
    return "ready" if one.beat.ready else "waiting"


def by_subsystem(known: Iterable[Heard]) -> dict[tuple[str, str], list[Heard]]:
    """(subsystem, role) -> its replicas, both in a fixed order."""
    groups: dict[tuple[str, str], list[Heard]] = {}
    for one in sorted(known, key=lambda h: (h.beat.subsystem, h.beat.role, h.beat.replica)):
        groups.setdefault((one.beat.subsystem, one.beat.role), []).append(one)
    return groups
