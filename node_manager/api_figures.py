"""Figures over HTTP: the newest of every container, and the last day of a node or of one container."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import BaseModel, Field

from backbone.claims import Claims
from backbone.clock import Clock, text_of
from backbone.http import Blueprint, caller
from contracts.errors import NotFound
from contracts.figures import InstanceFigures
from node_manager.history import FigureHistory, Subject
from node_manager.model_figures import Step, asked
from node_manager.newest import Newest
from node_manager.store import Nodes


class NodePath(BaseModel):
    node: str


class InstancePath(BaseModel):
    instance: str


class Window(BaseModel):
    """`since` and `until` are RFC 3339 or how long ago (15m, 24h), by default the last hour; `step` (10s, 1m, 1h) the length of a
    point, by default one that makes at most 360 points. A day is kept."""

    since: str = ""
    until: str = ""
    step: str = ""


class FiguresQuery(BaseModel):
    """Of one kind, deployment, node or workspace; all that one may see where none is named."""

    kind: Literal["", "app", "subsystem", "backing"] = ""
    deployment: str = ""
    node: str = ""
    workspace: str = ""


class NodePoint(BaseModel):
    """Mean over the step, `_max` the greatest second. cpu: percent of all cores. memory, disk: bytes. received, sent: bytes a second."""

    time: str
    cpu: float
    cpu_max: float
    memory: int
    memory_max: int
    load: float | None
    disk: int | None
    received: float | None
    sent: float | None


class NodeHistory(BaseModel):
    node: str
    step: int = Field(description="seconds")
    items: list[NodePoint]


class Point(BaseModel):
    """Mean over the step, `_max` the greatest second. cpu: percent of one core. memory: bytes that cannot be taken back."""

    time: str
    cpu: float
    cpu_max: float
    memory: int
    memory_max: int


class InstanceHistory(BaseModel):
    """`restarts` of an app's service in the last day, null of what is not an app's."""

    instance: str
    step: int = Field(description="seconds")
    restarts: int | None
    items: list[Point]


class Newly(BaseModel):
    """What a container took in its last second. cpu: percent of one core. memory_limit: null without one."""

    instance: str
    kind: str
    service: str
    workspace: str
    deployment: str
    generation: int
    node: str
    time: str
    cpu: float
    memory: int
    memory_limit: int | None
    restarts: int | None


class NewlyList(BaseModel):
    items: list[Newly]
    next: str = ""


def routes(clock: Clock, store: Nodes, newest: Newest, history: FigureHistory) -> Blueprint:
    api = Blueprint("figures", __name__)

    @api.get("/nodes/<node>/figures", responses={200: NodeHistory})
    def of_node(path: NodePath, query: Window) -> NodeHistory:
        """A node's last hour, or any part of the last day."""
        since, until, seconds = asked(query.since, query.until, query.step, clock.now())
        if store.node(path.node) is None:
            raise NotFound(f"There is no node {path.node}; GET /api/v1/nodes lists them.")
        return NodeHistory(node=path.node, step=seconds, items=[_node_point(s) for s in history.steps(path.node, since, until, seconds)])

    @api.get("/instances/<instance>/figures", responses={200: InstanceHistory})
    def of_instance(path: InstancePath, query: Window) -> InstanceHistory:
        """A container's last hour, or any part of the last day, also after its end: an app's instance, or, for staff, a
        subsystem's replica or a backing service by its container's name."""
        since, until, seconds = asked(query.since, query.until, query.step, clock.now())
        subject = _subject(path.instance)
        points = [_point(s) for s in history.steps(path.instance, since, until, seconds)]
        return InstanceHistory(instance=path.instance, step=seconds, restarts=_restarts([subject]).get(path.instance), items=points)

    @api.get("/figures", responses={200: NewlyList})
    def all_newest(query: FiguresQuery) -> NewlyList:
        """What every container you may see took in its last second; none of it is older than ten seconds."""
        claims = caller()
        found = [
            (one, node, time)
            for one, node, time in _each()
            if visible(claims, one)
            and query.kind in ("", one.kind)
            and query.deployment in ("", one.deployment)
            and query.node in ("", node)
            and query.workspace in ("", one.workspace)
        ]
        restarts = _restarts([_as_subject(one, node) for one, node, _ in found])
        return NewlyList(
            items=[Newly(**one.model_dump(), node=node, time=time, restarts=restarts.get(one.instance)) for one, node, time in found]
        )

    def _each() -> Iterator[tuple[InstanceFigures, str, str]]:
        for figures in newest.all():
            for one in figures.instances:
                yield one, figures.node, text_of(figures.time)

    def _subject(instance: str) -> Subject:
        """NotFound: nothing was measured of it, or it is not the caller's to know of."""
        subject = history.subject(instance)
        if subject is None and (now := newest.instance(instance)):
            subject = _as_subject(*now)
        if subject is None and (doc := store.instance(instance)):
            subject = Subject(instance, "app", doc["service"], doc["workspace"], doc["deployment"], doc["generation"], doc["node"])
        claims = caller()
        theirs = subject is not None and subject.kind == "app" and claims.may(subject.workspace, "read")
        if subject is None or subject.kind == "node" or not (theirs or claims.readable is None):
            raise NotFound(f"Instance {instance} is not there, was not seen in the last day, or is not yours to know of.")
        return subject

    def _restarts(subjects: list[Subject]) -> dict[str, int]:
        apps = [s for s in subjects if s.kind == "app"]
        found = store.restarts({s.deployment for s in apps}, clock.now())
        return {s.id: found.get((s.deployment, s.service), 0) for s in apps}

    return api


def visible(claims: Claims, one: InstanceFigures) -> bool:
    """Apps to those who may read their workspace, everything to staff."""
    return claims.readable is None or (one.kind == "app" and claims.may(one.workspace, "read"))


def _as_subject(one: InstanceFigures, node: str) -> Subject:
    return Subject(one.instance, one.kind, one.service, one.workspace, one.deployment, one.generation, node)


def _point(s: Step) -> Point:
    return Point(
        time=text_of(s.time), cpu=round(s.cpu, 2), cpu_max=round(s.cpu_max, 2), memory=round(s.memory), memory_max=round(s.memory_max)
    )


def _node_point(s: Step) -> NodePoint:
    return NodePoint(
        **_point(s).model_dump(),
        load=_rounded(s.load, 2),
        disk=None if s.disk is None else round(s.disk),
        received=_rounded(s.received, 1),
        sent=_rounded(s.sent, 1),
    )


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
