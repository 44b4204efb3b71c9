"""The HTTP routes of the platform's own parts and of what went wrong with them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from flask_openapi.openapi import OpenAPI
from pydantic import BaseModel, ConfigDict, Field

from backbone.backbone import Backbone
from backbone.http import Blueprint, caller
from backbone.http import api as make
from contracts.errors import Unavailable
from contracts.messages.incident import Kind
from monitor import model_incident as steps
from monitor.leading import Monitor
from monitor.model import Heard, by_subsystem, name_of, state_of
from monitor.model_backing import Service, State, newest
from monitor.model_incident import Incident, Outcome
from monitor.store import Incidents

DAY = timedelta(days=1)
COUNTED = 300
"""How many of the newest incidents are looked at for `restarts`."""


class ReplicaShown(BaseModel):
    replica: str
    incarnation: str
    node: str
    state: str
    reasons: list[str]
    last: datetime
    since: datetime


class SubsystemShown(BaseModel):
    """`restarts` are replicas replaced in the last 24 hours; `incident` is the id of the newest, "" where there is none."""

    subsystem: str
    role: str
    replicas: list[ReplicaShown]
    restarts: int
    incident: str
    incident_open: bool


class Subsystems(BaseModel):
    items: list[SubsystemShown]
    next: str = ""


class LineShown(BaseModel):
    """`since_before` is seconds since the line before."""

    at: datetime
    text: str
    since_before: float


class IncidentShown(BaseModel):
    """`outcome` is "" while it is open; `seconds` is from the last heartbeat to its end."""

    id: str
    state: str
    kind: Kind
    title: str
    subsystem: str
    role: str
    replica: str
    node: str
    opened: datetime
    closed: datetime | None
    outcome: Outcome
    seconds: float | None
    attempts: int
    successor: str
    acknowledged: datetime | None
    acknowledged_by: str
    timeline: list[LineShown]


class IncidentList(BaseModel):
    items: list[IncidentShown]
    next: str = ""


class ServiceShown(BaseModel):
    """`answered_ms` is how long its last answer took, null before the first; `incident` the open one, "" where there is none."""

    name: str
    state: State
    since: datetime
    answered_ms: float | None
    reason: str
    incident: str


class Services(BaseModel):
    items: list[ServiceShown]
    next: str = ""


class Query(BaseModel):
    """How many closed ones beside all that are open."""

    model_config = ConfigDict(extra="forbid")
    limit: int = Field(50, ge=0, le=500)


class ReplicaPath(BaseModel):
    replica: str


class IncidentPath(BaseModel):
    incident: str


def api(backbone: Backbone, monitor: Monitor, store: Incidents) -> OpenAPI:
    routes = Blueprint("subsystems", __name__)
    clock = backbone.clock

    @routes.get("/subsystems", responses={200: Subsystems})
    def list_subsystems() -> Any:
        now = clock.now()
        incidents = [*store.open(), *store.closed(COUNTED)]
        gone = {i.about for i in incidents if i.outcome in ("replaced", "stopped")}
        groups = by_subsystem(h for h in monitor.known.alive.values() if name_of(h.beat) not in gone)
        return Subsystems(items=[_subsystem(part, found, incidents, now) for part, found in groups.items()])

    @routes.post("/subsystems/<replica>/restart", responses={202: IncidentShown})
    def restart(path: ReplicaPath) -> Any:
        """Orders that a replica be replaced, whatever its state; the incident shows how far that is."""
        return _incident(monitor.restart(path.replica, caller().subject)), 202

    @routes.get("/incidents", responses={200: IncidentList})
    def list_incidents(query: Query) -> Any:
        """Open ones first, each with its timeline; the newest first."""
        found = [*store.open(), *(store.closed(query.limit) if query.limit else ())]
        return IncidentList(items=[_incident(one) for one in found])

    @routes.get("/incidents/<incident>", responses={200: IncidentShown})
    def show_incident(path: IncidentPath) -> Any:
        return _incident(store.get(path.incident))

    @routes.get("/backing", responses={200: Services})
    def list_backing() -> Any:
        """What the platform stands on, as this monitor sees it: answered from memory, also while PostgreSQL is away."""
        open = _open(store)
        return Services(items=[_service(one, open.get(one.name, "")) for one in newest(monitor.watch.services())])

    @routes.post("/incidents/<incident>/acknowledge", responses={200: IncidentShown})
    def acknowledge(path: IncidentPath) -> Any:
        """Somebody has seen it; it stays open until it is over."""
        now, who = clock.now(), caller().subject
        text = f"{who} has seen it"
        return _incident(store.acknowledge(path.incident, lambda i: steps.moved(i, now, text, acknowledged=now, acknowledged_by=who)))

    return make("subsystems", [routes], backbone)


def _open(store: Incidents) -> dict[str, str]:
    """The open incident of each backing service that has one."""
    try:
        return {i.subsystem: i.id for i in store.open() if i.kind == "backing"}
    except Unavailable:
        return {}


def _service(one: Service, incident: str) -> ServiceShown:
    took = None if one.took is None else round(1000 * one.took, 1)
    return ServiceShown(name=one.name, state=one.state, since=one.since, answered_ms=took, reason=one.reason, incident=incident)


def _subsystem(part: tuple[str, str], found: list[Heard], incidents: list[Incident], now: datetime) -> SubsystemShown:
    mine = sorted((i for i in incidents if i.part == part), key=lambda i: i.opened)
    restarts = sum(1 for i in mine if i.outcome == "replaced" and now - i.opened < DAY)
    newest = mine[-1] if mine else None
    return SubsystemShown(
        subsystem=part[0], role=part[1], replicas=[_replica(h, now) for h in found], restarts=restarts,
        incident=newest.id if newest else "", incident_open=any(i.closed is None for i in mine),
    )  # fmt: skip


def _replica(one: Heard, now: datetime) -> ReplicaShown:
    beat = one.beat
    return ReplicaShown(
        replica=beat.replica, incarnation=beat.incarnation, node=beat.node, state=state_of(one, now),
        reasons=list(beat.reasons), last=one.at, since=one.first,
    )  # fmt: skip


def _incident(one: Incident) -> IncidentShown:
    before = [one.timeline[0].at, *(line.at for line in one.timeline)]
    lines = [
        LineShown(at=line.at, text=line.text, since_before=round(max(0.0, (line.at - earlier).total_seconds()), 3))
        for line, earlier in zip(one.timeline, before, strict=False)
    ]
    facts = one.model_dump(include=set(IncidentShown.model_fields) - {"timeline"})
    return IncidentShown(
        **facts, state="closed" if one.closed else "open", attempts=one.tries, timeline=lines,
        seconds=round((one.closed - one.last).total_seconds(), 3) if one.closed else None,
    )  # fmt: skip
