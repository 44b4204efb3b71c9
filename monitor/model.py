"""What silence means: pure decisions over the last heartbeats heard."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from contracts.messages import Beat

SUSPICION = timedelta(seconds=3)
TOGETHER = timedelta(seconds=1)
"""What falls silent within it, falls silent at once: so often each replica beats."""
FEWEST = 3
"""Fewer silent ones than these are never a silence of all."""
FORGOTTEN = timedelta(seconds=60)
LEFT_KEPT = timedelta(minutes=10)
STALLED = timedelta(seconds=2)
"""Between two rounds: a monitor that stood still itself for so long has not listened."""


@dataclass(frozen=True)
class Heard:
    """The newest beat of a replica, and when its first and its newest came in, by the monitor's own clock.

    `recalled`: nothing was heard yet; it ran when that was last written down, and `at` is when this monitor began to listen.
    """

    beat: Beat
    first: datetime
    at: datetime
    recalled: bool = False

    @property
    def part(self) -> tuple[str, str]:
        """Which subsystem, in which role."""
        return self.beat.subsystem, self.beat.role


@dataclass(frozen=True)
class Known:
    """`alive` by replica; `left` when each incarnation (`replica/incarnation`) said that it obeys an order to stop."""

    alive: Mapping[str, Heard] = field(default_factory=dict)
    left: Mapping[str, datetime] = field(default_factory=dict)

    def without(self, replicas: Iterable[str]) -> Known:
        gone = set(replicas)
        return replace(self, alive={r: h for r, h in self.alive.items() if r not in gone})


Ran = tuple[str, str, str]
"""A replica, its incarnation, its node."""
Expected = Mapping[tuple[str, str], tuple[Ran, ...]]
"""Which replicas each part is known to have."""


def name_of(beat: Beat) -> str:
    return f"{beat.replica}/{beat.incarnation}"


def with_missed(known: Known, missed: Iterable[Heard]) -> Known:
    return replace(known, alive={**{h.beat.replica: h for h in missed}, **known.alive})


def heard(known: Known, beat: Beat, now: datetime) -> Known:
    """With this beat. One that is leaving is not known any more, whatever comes of it later."""
    left = {name: at for name, at in known.left.items() if now - at < LEFT_KEPT}
    if beat.leaving or name_of(beat) in left:
        left.setdefault(name_of(beat), now)
        return Known({r: h for r, h in known.alive.items() if r != beat.replica}, left)
    before = known.alive.get(beat.replica)
    first = before.first if before and before.beat.incarnation == beat.incarnation else now
    return Known({**known.alive, beat.replica: Heard(beat, first, now)}, left)


def forget(known: Known, now: datetime, but: Iterable[str] = ()) -> Known:
    """Without those silent for a minute, except those an open incident is about."""
    kept = set(but)
    return known.without(r for r, h in known.alive.items() if now - h.at >= FORGOTTEN and r not in kept)


def together(known: Known, now: datetime) -> list[Heard]:
    """Those that fell silent at once: more than half of all, and at least three. Else []: there are single ones at most."""
    late = [h for h in known.alive.values() if now - h.at >= SUSPICION - TOGETHER]
    for one in late:
        if now - one.at >= SUSPICION:
            same = [h for h in late if abs(h.at - one.at) <= TOGETHER]
            if len(same) >= FEWEST and 2 * len(same) > len(known.alive):
                return same
    return []


def suspects(known: Known, now: datetime, listening: datetime) -> list[Heard]:
    """Silent for 3 s of the time in which the monitor has listened without a break."""
    return [h for h in known.alive.values() if now - max(h.at, listening) >= SUSPICION]


def successor(known: Known, part: tuple[str, str], after: datetime, claimed: Iterable[str]) -> Heard | None:
    """The first replica of this part that began to beat after `after`, and has not been another's successor."""
    taken = set(claimed)
    found = [h for h in known.alive.values() if h.part == part and h.first > after and h.beat.replica not in taken]
    return min(found, key=lambda h: h.first, default=None)


def state_of(one: Heard, now: datetime) -> str:
    """ready, waiting (alive, says why it cannot serve) or silent."""
    if now - one.at >= SUSPICION:
        return "silent"
    return "ready" if one.beat.ready else "waiting"


def by_subsystem(known: Iterable[Heard]) -> dict[tuple[str, str], list[Heard]]:
    """(subsystem, role) -> its replicas, both in a fixed order."""
    groups: dict[tuple[str, str], list[Heard]] = {}
    for one in sorted(known, key=lambda h: (*h.part, h.beat.replica)):
        groups.setdefault(one.part, []).append(one)
    return groups


def expected(known: Known) -> Expected:
    """What is to be written down, the newest last: all that are known, also one that is silent as long as nothing took its place."""
    return {
        part: tuple((h.beat.replica, h.beat.incarnation, h.beat.node) for h in sorted(found, key=lambda h: h.first))
        for part, found in by_subsystem(known.alive.values()).items()
    }


def remaining(stored: Expected, known: Known) -> Expected:
    """Without those that left as they were told to."""
    kept = {part: tuple(r for r in ran if f"{r[0]}/{r[1]}" not in known.left) for part, ran in stored.items()}
    return {part: ran for part, ran in kept.items() if ran}


def missing(stored: Expected, known: Known, began: datetime) -> list[Heard]:
    """Of each part of which nobody is heard, its newest replica. How many there should be is Swarm's to know: what was
    written down amid a rollout counts old and new."""
    heard_now = {h.part for h in known.alive.values()}
    return [
        Heard(Beat(replica=ran[-1][0], incarnation=ran[-1][1], subsystem=part[0], role=part[1], node=ran[-1][2]), began, began, True)
        for part, ran in remaining(stored, known).items()
        if part not in heard_now
    ]
