"""Adds and removes devices, and asks identity for their tokens: what a device is, and how it proves it, go together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from backbone.backbone import Backbone
from backbone.logs import get_log
from contracts.errors import BerthError, Conflict, Invalid, NotFound, Taken
from sensor_manager.model import Device, Sensor, device_problems
from sensor_manager.store import Store

log = get_log()
YEAR = 366 * 86400


class Devices:
    def __init__(self, backbone: Backbone, store: Store) -> None:
        self._backbone, self._store = backbone, store

    def add(self, workspace: str, name: str, place: str, sensors: Sequence[tuple[str, str, str | None]], by: str) -> tuple[Device, str]:
        """The device and its token, which nobody can see again. Invalid, Conflict: the workspace has one of this name."""
        kinds = self._store.kinds(workspace)
        if problems := device_problems(name, place, sensors, kinds):
            raise Invalid(f"The device {name} is not valid.", problems)
        new_id = self._backbone.clock.new_id
        device = Device(new_id(), workspace, name, place, tuple(Sensor(new_id(), key, kind, kinds[kind].unit) for key, kind, _ in sensors))
        token = self._token(device)
        try:
            self._store.add_device(device, token["jti"], by)
        except BerthError as error:
            self._revoke(token["jti"])
            if isinstance(error, Taken):
                raise Conflict(f"Workspace {workspace} has a device {name} already; choose another name or remove that one.") from None
            raise
        log.info("device_added", device=device.id, workspace=workspace, place=place, sensors=len(sensors))
        return device, token["token"]

    def rotate(self, device: Device) -> str:
        """A new token; the old one counts no more, everywhere within a second."""
        token = self._token(device)
        before = self._store.change_token(device.id, token["jti"])
        self._revoke(before)
        log.info("device_token_rotated", device=device.id, workspace=device.workspace)
        return str(token["token"])

    def remove(self, device: Device) -> None:
        """Its readings stay as long as others of their age; bindings keep its sensors, which fall silent."""
        doc = self._store.device_doc(device.id)
        if doc is None:
            raise NotFound(f"No device {device.id}.")
        self._revoke(doc["token"])
        self._store.remove_device(device.id)
        log.info("device_removed", device=device.id, workspace=device.workspace)

    def _token(self, device: Device) -> Any:
        asked = {"purpose": "device", "subject": device.id, "workspace": device.workspace, "name": device.name}
        return self._backbone.peers.post("/tokens", asked).check().json

    def _revoke(self, jti: str) -> None:
        """One that is gone already is as good."""
        answer = self._backbone.peers.delete(f"/tokens/{jti}")
        if answer.status != 404:
            answer.check()
