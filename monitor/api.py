"""The HTTP route of the platform's own parts."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask_openapi.openapi import OpenAPI
from pydantic import BaseModel

from backbone.backbone import Backbone
from backbone.http import Blueprint
from backbone.http import api as make
from monitor.model import Heard, by_subsystem, state_of
from monitor.subsystem import Monitor


class ReplicaShown(BaseModel):
    replica: str
    incarnation: str
    node: str
    state: str
    reasons: list[str]
    last: datetime


class SubsystemShown(BaseModel):
    subsystem: str
    role: str
    replicas: list[ReplicaShown]


class Subsystems(BaseModel):
    items: list[SubsystemShown]
    next: str = ""


def api(backbone: Backbone, monitor: Monitor) -> OpenAPI:
    routes = Blueprint("subsystems", __name__)

    def shown(one: Heard) -> ReplicaShown:
        state = state_of(one, backbone.clock.now())
        beat = one.beat
        return ReplicaShown(
            replica=beat.replica, incarnation=beat.incarnation, node=beat.node, state=state, reasons=list(beat.reasons), last=one.at
        )  # fmt: skip

    @routes.get("/subsystems", responses={200: Subsystems})
    def list_subsystems() -> Any:
        groups = by_subsystem(monitor.known.values())
        return Subsystems(
            items=[SubsystemShown(subsystem=s, role=r, replicas=[shown(h) for h in found]) for (s, r), found in groups.items()]
        )

    return make("subsystems", [routes], backbone)
