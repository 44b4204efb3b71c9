"""HTTP: kinds and places."""

from __future__ import annotations

from collections import Counter

from pydantic import BaseModel, ConfigDict, Field

from backbone.http import Blueprint, caller, workspace_of
from contracts.errors import Invalid, Problem, Taken
from sensor_manager.kinds import Kind
from sensor_manager.model import kind_problems
from sensor_manager.places import parents
from sensor_manager.store import Store


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Workspace(Strict):
    workspace: str = ""


class NewKind(Strict):
    """`value` is number, boolean, text or object; a range is for numbers."""

    name: str
    value: str = "number"
    unit: str = ""
    minimum: float | None = None
    maximum: float | None = None
    description: str = Field("", max_length=500)
    workspace: str = ""


class ShownKind(BaseModel):
    name: str
    value: str
    unit: str
    minimum: float | None
    maximum: float | None
    description: str
    workspace: str


class Kinds(BaseModel):
    items: list[ShownKind]
    next: str = ""


class Place(BaseModel):
    """`devices` and `sensors` (by kind) at this place and all below it."""

    place: str
    devices: int
    sensors: dict[str, int]


class Places(BaseModel):
    items: list[Place]
    next: str = ""


def blueprint(store: Store) -> Blueprint:
    api = Blueprint("kinds", __name__)

    @api.get("/kinds", responses={200: Kinds})
    def list_kinds(query: Workspace) -> Kinds:
        """The standard kinds, and the workspace's own."""
        workspace = workspace_of(query.workspace)
        caller().need(workspace, "read", f"Workspace {workspace}")
        kinds = sorted(store.kinds(workspace).values(), key=lambda kind: (kind.workspace != "", kind.name))
        return Kinds(items=[ShownKind(**kind.asdict()) for kind in kinds])

    @api.post("/kinds", responses={201: ShownKind})
    def add_kind(body: NewKind) -> tuple[ShownKind, int]:
        """A kind of the workspace's own."""
        workspace = workspace_of(body.workspace)
        caller().need(workspace, "write", f"Workspace {workspace}")
        kind = Kind(**body.model_dump(exclude={"workspace"}), workspace=workspace)
        if problems := kind_problems(kind, store.kinds(workspace)):
            raise Invalid(f"The kind {kind.name} is not valid.", problems)
        try:
            store.add_kind(kind)
        except Taken:
            rule = f"There is a kind {kind.name} already."
            raise Invalid(rule, [Problem(path="name", value=kind.name, rule=rule)]) from None
        return ShownKind(**kind.asdict()), 201

    @api.get("/places", responses={200: Places})
    def list_places(query: Workspace) -> Places:
        """Every place with a device at or below it."""
        workspace = workspace_of(query.workspace)
        caller().need(workspace, "read", f"Workspace {workspace}")
        devices: Counter[str] = Counter()
        sensors: dict[str, Counter[str]] = {}
        for device in store.devices(workspace):
            for place in parents(device.place):
                devices[place] += 1
                sensors.setdefault(place, Counter()).update(s.kind for s in device.sensors)
        return Places(items=[Place(place=p, devices=devices[p], sensors=dict(sorted(sensors[p].items()))) for p in sorted(devices)])

    return api
