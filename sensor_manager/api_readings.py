"""HTTP: readings that were, the newest ones, and who is bound to what."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field

from backbone.clock import Clock
from backbone.http import Blueprint, caller, workspace_of
from contracts.errors import Invalid, NotFound, Problem
from contracts.messages.deployment import BoundSensor
from contracts.spans import window
from sensor_manager.api_devices import theirs
from sensor_manager.api_kinds import Strict
from sensor_manager.places import matches, pattern_fault
from sensor_manager.shown import latest_of, points_of, sensors_of
from sensor_manager.storage import ReadingStore
from sensor_manager.store import Store


class ReadingsAsked(Strict):
    """`since` and `until` are RFC 3339 or how long ago (15m); with `bucket` (1m) mean, minimum and maximum for each."""

    sensor: str
    workspace: str = ""
    since: str = ""
    until: str = ""
    bucket: str = ""
    limit: int = Field(1000, ge=1, le=10_000)


class LatestAsked(Strict):
    """Of one device, or of all at places that match `place` (by default all of the workspace)."""

    workspace: str = ""
    device: str = ""
    place: str = ""


class BindingsAsked(Strict):
    workspace: str = ""
    deployment: str = ""


class Points(BaseModel):
    sensor: str
    kind: str
    unit: str
    place: str
    items: list[dict[str, Any]]
    next: str = ""


class Items(BaseModel):
    items: list[dict[str, Any]]
    next: str = ""


def blueprint(store: Store, readings: ReadingStore, clock: Clock) -> Blueprint:
    api = Blueprint("readings", __name__)

    def sensor_of(workspace: str, named: str) -> BoundSensor:
        found = next((s for d in store.devices(workspace) for s in sensors_of(d) if s.sensor == named), None)
        if found is None:
            raise NotFound(f"Sensor {named} is not there, or not yours to know of.")
        return found

    @api.get("/readings", responses={200: Points})
    def history(query: ReadingsAsked) -> Points:
        """One sensor's readings in order of time, by default of the last hour; of more than `limit` the newest."""
        workspace = workspace_of(query.workspace)
        caller().need(workspace, "read", f"Workspace {workspace}")
        sensor = sensor_of(workspace, query.sensor)
        since, until, seconds = window(query.since, query.until, query.bucket, clock.now())
        points = points_of(readings, sensor.sensor, since, until, seconds, query.limit)
        return Points(sensor=sensor.sensor, kind=sensor.kind, unit=sensor.unit, place=sensor.place, items=points)

    @api.get("/readings/latest", responses={200: Items})
    def latest(query: LatestAsked) -> Items:
        """The newest reading of each sensor that has one."""
        if query.device:
            return Items(items=latest_of(readings, sensors_of(theirs(store, query.device, "read")[0])))
        workspace = workspace_of(query.workspace)
        caller().need(workspace, "read", f"Workspace {workspace}")
        where = query.place or "**"
        if fault := pattern_fault(where):
            raise Invalid(fault, [Problem(path="place", value=query.place, rule=fault)])
        found = [s for d in store.devices(workspace, where) if matches(where, d.place) for s in sensors_of(d)]
        return Items(items=latest_of(readings, found))

    @api.get("/bindings", responses={200: Items})
    def bindings(query: BindingsAsked) -> Items:
        """Live bindings of the workspace, or of one deployment in it."""
        workspace = workspace_of(query.workspace)
        caller().need(workspace, "read", f"Workspace {workspace}")
        kept = [doc for doc in store.bindings_in(workspace) if query.deployment in ("", doc["deployment"])]
        names = ("binding", "deployment", "generation", "sensors")
        return Items(items=[{name: doc[name] for name in names} for doc in kept])

    return api
