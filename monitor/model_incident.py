"""An incident: what it is, how it moves on, and what is said of it. Each step gives the new incident and its messages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Literal

from pydantic import BaseModel, ConfigDict

from contracts.message import Message
from contracts.messages import IncidentClosed, IncidentMoved, IncidentOpened, ReplaceReplica
from contracts.messages.incident import Kind
from monitor.model import Heard, Known, successor

PAUSES = (5, 10, 20, 40, 60)
"""Seconds between two orders for one subsystem and role; the last for ever."""
CALM = timedelta(minutes=3)
"""Without an order for so long, the pauses begin anew."""
OVERLAP = timedelta(seconds=30)
"""A rollout begins the new replica before the old one ends: of one that had ended, it may be the successor."""

Outcome = Literal["", "replaced", "recovered", "stopped", "over"]


class Line(BaseModel):
    model_config = ConfigDict(frozen=True)
    at: datetime
    text: str


class Incident(BaseModel):
    """`last` is the last heartbeat that was heard of `replica`, or the last answer of a backing service.

    `killed` and `ended` are what the node's agent said of the replica.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")
    id: str
    kind: Kind
    title: str
    opened: datetime
    last: datetime
    subsystem: str = ""
    role: str = ""
    replica: str = ""
    incarnation: str = ""
    node: str = ""
    timeline: tuple[Line, ...] = ()
    tries: int = 0
    tried: datetime | None = None
    fence: int = 0
    killed: bool = False
    ended: bool = False
    outcome: Outcome = ""
    closed: datetime | None = None
    successor: str = ""
    acknowledged: datetime | None = None
    acknowledged_by: str = ""

    @property
    def part(self) -> tuple[str, str]:
        return self.subsystem, self.role

    @property
    def about(self) -> str:
        """What can have one open incident only."""
        if self.kind == "backing":
            return f"backing/{self.subsystem}"
        return f"{self.replica}/{self.incarnation}" if self.replica else "all"


Step = tuple[Incident, Sequence[Message]]


def part_name(part: tuple[str, str]) -> str:
    return " ".join(filter(None, part))


def silent(id: str, lost: Heard, now: datetime) -> Step:
    title = f"{part_name(lost.part)} fell silent"
    text = f"no heartbeat of replica {lost.beat.replica} for {(now - lost.at).total_seconds():.1f} s"
    first = "this monitor began to listen; the replica ran when that was last written down" if lost.recalled else "its last heartbeat"
    return _opened(id, "replica", title, lost, now, Line(at=lost.at, text=first), Line(at=now, text=text))


def restart(id: str, one: Heard, who: str, now: datetime) -> Step:
    title = f"{who} restarts {part_name(one.part)}"
    return _opened(id, "restart", title, one, now, Line(at=now, text=f"{who} ordered that replica {one.beat.replica} be replaced"))


def all_silent(id: str, many: Sequence[Heard], known: Known, now: datetime) -> Step:
    """Nothing is done about it: the bus or the monitor itself is the likelier cause."""
    names = ", ".join(sorted({part_name(h.part) for h in many}))
    title = f"{len(many)} of {len(known.alive)} replicas fell silent at once"
    text = f"the bus or the monitor itself is suspected, nobody is replaced; silent: {names}"
    last = max(h.at for h in many)
    lines = (Line(at=last, text="the last heartbeat of them"), Line(at=now, text=text))
    made = Incident(id=id, kind="silence", title=title, opened=now, last=last, timeline=lines)
    return made, [IncidentOpened(incident=id, kind="silence", title=title, at=now)]


def backing(id: str, service: str, title: str, text: str, last: datetime, now: datetime, fence: int) -> Step:
    """Nothing is done about it here: Docker restarts what ends, and those who wait for it wait."""
    lines = (Line(at=last, text="its last answer"), Line(at=now, text=text))
    made = Incident(id=id, kind="backing", title=title, opened=now, last=last, subsystem=service, timeline=lines, fence=fence)
    return made, [IncidentOpened(incident=id, kind="backing", title=title, at=now, subsystem=service)]


def _opened(id: str, kind: Kind, title: str, one: Heard, now: datetime, *lines: Line) -> Step:
    facts = one.beat.model_dump(include={"subsystem", "role", "replica", "node"})
    made = Incident(
        id=id, kind=kind, title=title, opened=now, last=one.at, incarnation=one.beat.incarnation, timeline=lines, **facts
    )  # fmt: skip
    return made, [IncidentOpened(incident=id, kind=kind, title=title, at=now, **facts)]


def moved(incident: Incident, now: datetime, text: str, **facts: object) -> Step:
    changed = incident.model_copy(update={**facts, "timeline": (*incident.timeline, Line(at=now, text=text))})
    return changed, [IncidentMoved(incident=incident.id, at=now, text=text)]


def noted(incident: Incident, now: datetime, text: str, **facts: object) -> Step | None:
    """None where that line is there already."""
    return None if any(line.text == text for line in incident.timeline) else moved(incident, now, text, **facts)


def closed(incident: Incident, now: datetime, outcome: Outcome, text: str, heir: str = "") -> Step:
    changed, _ = moved(incident, now, text, outcome=outcome, closed=now, successor=heir)
    seconds = round((now - incident.last).total_seconds(), 3)
    assert outcome
    return changed, [IncidentClosed(incident=incident.id, at=now, outcome=outcome, text=text, seconds=seconds)]


def tried(incident: Incident, now: datetime, fence: int) -> Step:
    attempt = incident.tries + 1
    ordered = incident.kind == "restart"
    reason = incident.title if ordered else f"silent for {(now - incident.last).total_seconds():.1f} s"
    text = f"attempt {attempt}: {'no new heartbeat yet; ' if incident.killed else ''}its node's agent is asked to replace it"
    changed, said = moved(incident, now, text, tries=attempt, tried=now, fence=fence)
    order = ReplaceReplica(
        replica=incident.replica, incarnation=incident.incarnation, subsystem=incident.subsystem, role=incident.role,
        node=incident.node, incident=incident.id, attempt=attempt, fence=fence, reason=reason, ordered=ordered,
    )  # fmt: skip
    return changed, [*said, order]


def ending(incident: Incident, known: Known, now: datetime, claimed: Iterable[str]) -> Step | None:
    """How it ends, where what was heard says so; else None: it goes on. An order is believed by a new heartbeat alone."""
    one = known.alive.get(incident.replica)
    if incident.about in known.left:
        return closed(incident, now, "stopped", "it said that it had been told to stop")
    last = one.at if one and incident.kind == "restart" and one.beat.incarnation == incident.incarnation else incident.last
    heir = successor(known, incident.part, last - (OVERLAP if incident.ended else timedelta(0)), {incident.replica, *claimed})
    if heir and (incident.kind == "replica" or incident.tries):
        text = f"a new heartbeat: replica {heir.beat.replica} is its successor"
        return closed(incident, now, "replaced", text, heir.beat.replica)
    if incident.kind == "replica" and not incident.killed and one and one.at > incident.last:
        silence = (one.at - incident.last).total_seconds()
        return closed(incident, now, "recovered", f"it is heard again after {silence:.1f} s, and was not replaced")
    return None


def due(recent: Iterable[Incident], now: datetime) -> bool:
    """Whether another order may be given for a part with these incidents: after 5, 10, 20, 40, then each 60 s."""
    lately = [(i.tried, i.tries) for i in recent if i.tried and now - i.tried < CALM]
    if not lately:
        return True
    number = sum(tries for _, tries in lately)
    return now >= max(at for at, _ in lately) + timedelta(seconds=PAUSES[min(number, len(PAUSES)) - 1])
