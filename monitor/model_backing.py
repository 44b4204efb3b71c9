"""What answers mean: when a backing service is up, degraded or away, and which changes belong to one incident."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

State = Literal["up", "degraded", "away"]

PATIENCE = 2.0
"""Seconds after which a question counts as failed, and again after each further so many."""
SLOW = 1.0
"""Seconds: an answer that takes longer is a slow one."""
IN_A_ROW = 3
"""So many slow answers are a degraded service, so many quick ones an end of it."""
FAILED = 2
"""So many questions in a row without an answer: it is away."""
NEAR = timedelta(seconds=15)
"""Two monitors see the same outage at moments that differ by less."""
CARRYING = ("kafka", "postgres", "mongo")
"""What every part needs to beat."""
AFTERWARDS = timedelta(seconds=10)
"""For so long after one of them is back silence means nothing: whoever was waiting has to find it again."""


@dataclass(frozen=True)
class Service:
    """`well` is when it last answered; `took` how long that was, in seconds, None before the first answer."""

    name: str
    since: datetime
    well: datetime
    state: State = "up"
    before: State = "up"
    failed: int = 0
    slow: int = 0
    quick: int = 0
    took: float | None = None
    reason: str = ""


@dataclass(frozen=True)
class Change:
    at: datetime
    state: State
    text: str


@dataclass(frozen=True)
class Episode:
    """One outage: from the first change away from `up` to the one back to it. `last` is when it had last answered before."""

    service: str
    last: datetime
    changes: tuple[Change, ...]

    @property
    def began(self) -> datetime:
        return self.changes[0].at

    @property
    def over(self) -> datetime | None:
        return self.changes[-1].at if self.changes[-1].state == "up" else None

    def same(self, began: datetime, over: datetime | None) -> bool:
        """Whether an outage from then to then (None: it goes on) is this one, as another monitor saw it."""
        ends_before = over is not None and over + NEAR < self.began
        begins_after = self.over is not None and began > self.over + NEAR
        return not ends_before and not begins_after


def answered(service: Service, now: datetime, took: float) -> Service:
    """It answered. One that was away is back with its first quick answer, and degraded with a slow one."""
    slow, quick = (service.slow + 1, 0) if took > SLOW else (0, service.quick + 1)
    state = service.state
    if slow and (state == "away" or slow >= IN_A_ROW):
        state = "degraded"
    elif quick and (state == "away" or quick >= IN_A_ROW):
        state = "up"
    reason = f"it takes {took:.1f} s to answer" if state == "degraded" and slow else "" if state == "up" else service.reason
    facts = replace(service, well=now, failed=0, slow=slow, quick=quick, took=took, reason=reason)
    return _in(facts, state, now)


def failed(service: Service, now: datetime, reason: str) -> Service:
    """It did not answer, or said that it cannot."""
    count = service.failed + 1
    facts = replace(service, failed=count, slow=0, quick=0, reason=reason)
    return _in(facts, "away" if count >= FAILED else service.state, now)


def _in(service: Service, state: State, now: datetime) -> Service:
    return service if service.state == state else replace(service, state=state, before=service.state, since=now)


def change(before: Service, now: Service) -> Change | None:
    """What is to be told of it; None where its state is the same."""
    if before.state == now.state:
        return None
    texts: dict[State, str] = {
        "away": f"{now.name} is away: {now.reason}",
        "degraded": f"{now.name} answers, but slowly: {now.reason}",
        "up": f"{now.name} answers again, in {1000 * (now.took or 0):.0f} ms",
    }
    return Change(now.since, now.state, texts[now.state])


def told(episodes: Sequence[Episode], before: Service, news: Change) -> list[Episode]:
    """With this change: of the outage that goes on, or a new one."""
    last = next((e for e in reversed(episodes) if e.service == before.name), None)
    if last is None or last.over:
        return [*episodes, Episode(before.name, before.well, (news,))]
    return [replace(e, changes=(*e.changes, news)) if e is last else e for e in episodes]


def title(episode: Episode) -> str:
    return f"{episode.service} is away" if any(c.state == "away" for c in episode.changes) else f"{episode.service} answers slowly"


def silence_is_explained(services: Iterable[Service], now: datetime) -> str:
    """Heartbeats travel on Kafka, and loops wait for documents: while one of these is away, and shortly after, silence says
    nothing of the silent. Which one it is, or ""."""
    for service in services:
        back = service.before == "away" and now - service.since < AFTERWARDS
        if service.name in CARRYING and (service.state == "away" or service.failed > 0 or back):
            return service.name
    return ""


def newest(services: Iterable[Service]) -> list[Service]:
    """In a fixed order, what is wrong first."""
    order: dict[State, int] = {"away": 0, "degraded": 1, "up": 2}
    return sorted(services, key=lambda s: (order[s.state], s.name))
