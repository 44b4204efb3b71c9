"""HTTP: devices and their sensors."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field

from backbone.http import Blueprint, caller, workspace_of
from contracts.errors import Invalid, NotFound, Problem
from contracts.messages.deployment import BoundSensor
from sensor_manager.api_kinds import Strict, Workspace
from sensor_manager.devices import Devices
from sensor_manager.model import Device
from sensor_manager.places import matches, pattern_fault
from sensor_manager.shown import latest_of, sensors_of, shown_device
from sensor_manager.storage import ReadingStore
from sensor_manager.store import Store


class NewSensor(Strict):
    """`key` is the device's own name for it; the unit is the kind's."""

    key: str
    kind: str
    unit: str | None = None


class NewDevice(Strict):
    name: str
    place: str
    sensors: list[NewSensor]
    workspace: str = ""


class DevicePath(Strict):
    device: str


class ShownSensor(BaseModel):
    sensor: str
    key: str
    kind: str
    unit: str


class ShownDevice(BaseModel):
    id: str
    workspace: str
    name: str
    place: str
    sensors: list[ShownSensor]
    created: str | None = None
    created_by: str | None = None


class AddedDevice(ShownDevice):
    token: str = Field(description="Shown once: only a hash of it can be checked later.")


class OneDevice(ShownDevice):
    latest: list[dict[str, Any]]


class DeviceList(BaseModel):
    items: list[ShownDevice]
    next: str = ""


class NewToken(BaseModel):
    token: str


class SensorsAsked(Strict):
    workspace: str = ""
    kind: str = ""
    place: str = ""


class SensorList(BaseModel):
    items: list[BoundSensor]
    next: str = ""


def theirs(store: Store, id: str, level: str) -> tuple[Device, dict[str, Any]]:
    """The device, if the caller may. NotFound, Forbidden."""
    doc = store.device_doc(id)
    if doc is None:
        raise NotFound(f"Device {id} is not there, or not yours to know of.")
    caller().need(doc["workspace"], level, f"Device {id}")
    device = store.device(id)
    assert device is not None
    return device, doc


def blueprint(store: Store, devices: Devices, readings: ReadingStore) -> Blueprint:
    api = Blueprint("devices", __name__)

    @api.get("/devices", responses={200: DeviceList})
    def list_devices(query: Workspace) -> dict[str, Any]:
        """The workspace's devices, by place."""
        workspace = workspace_of(query.workspace)
        caller().need(workspace, "read", f"Workspace {workspace}")
        return {"items": [shown_device(d, store.device_doc(d.id) or {}) for d in store.devices(workspace)], "next": ""}

    @api.post("/devices", responses={201: AddedDevice})
    def add_device(body: NewDevice) -> tuple[dict[str, Any], int]:
        """A device with its sensors. The answer holds its token, once."""
        workspace = workspace_of(body.workspace)
        caller().need(workspace, "write", f"Workspace {workspace}")
        sensors = [(s.key, s.kind, s.unit) for s in body.sensors]
        device, token = devices.add(workspace, body.name, body.place, sensors, caller().subject)
        return {**shown_device(device, store.device_doc(device.id) or {}), "token": token}, 201

    @api.get("/devices/<device>", responses={200: OneDevice})
    def get_device(path: DevicePath) -> dict[str, Any]:
        """A device with the newest reading of each sensor."""
        device, doc = theirs(store, path.device, "read")
        return {**shown_device(device, doc), "latest": latest_of(readings, sensors_of(device))}

    @api.delete("/devices/<device>")
    def remove_device(path: DevicePath) -> None:
        """Its token counts no more; its readings stay."""
        devices.remove(theirs(store, path.device, "write")[0])

    @api.post("/devices/<device>/token", responses={201: NewToken})
    def rotate_token(path: DevicePath) -> tuple[NewToken, int]:
        """A new token, shown once; the old one is revoked."""
        return NewToken(token=devices.rotate(theirs(store, path.device, "write")[0])), 201

    @api.get("/sensors", responses={200: SensorList})
    def list_sensors(query: SensorsAsked) -> SensorList:
        """Sensors by kind and place pattern: what an app with such a need would find."""
        workspace = workspace_of(query.workspace)
        caller().need(workspace, "read", f"Workspace {workspace}")
        where = query.place or "**"
        if fault := pattern_fault(where):
            raise Invalid(fault, [Problem(path="place", value=query.place, rule=fault)])
        found = [s for d in store.devices(workspace, where) if matches(where, d.place) for s in sensors_of(d)]
        return SensorList(items=[s for s in found if query.kind in ("", s.kind)])

    return api
