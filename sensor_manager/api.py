"""All HTTP of the role api: Flask's routes, and the stream of a device's newest values beside them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask_openapi.openapi import OpenAPI
from starlette.responses import Response
from starlette.routing import BaseRoute

from backbone.backbone import Backbone
from backbone.http import api
from backbone.live import Call, Live, live_route
from backbone.live_events import Event, watch
from contracts.errors import NotFound
from sensor_manager import api_devices, api_kinds, api_readings
from sensor_manager.devices import Devices
from sensor_manager.shown import latest_of, sensors_of
from sensor_manager.storage import ReadingStore
from sensor_manager.store import Store

EVERY = 0.5


def flask_side(backbone: Backbone, store: Store, readings: ReadingStore) -> OpenAPI:
    blueprints = (
        api_kinds.blueprint(store),
        api_devices.blueprint(store, Devices(backbone, store), readings),
        api_readings.blueprint(store, readings, backbone.clock),
    )
    return api("sensor_manager", blueprints, backbone)


def live_side(backbone: Backbone, store: Store, readings: ReadingStore, live: Live) -> Sequence[BaseRoute]:
    async def device_events(call: Call) -> Response:
        """The newest reading of each of the device's sensors, and each newer one within half a second."""
        device = await call.stored(store.device, call.path["device"])
        if device is None:
            raise NotFound(f"Device {call.path['device']} is not there, or not yours to know of.")
        call.claims.need(device.workspace, "read", f"Device {device.id}")
        sensors = sensors_of(device)

        def look(last: str) -> list[Event]:
            newest: list[dict[str, Any]] = [r for r in latest_of(readings, sensors) if seen.get(r["sensor"], "") < r["time"]]
            seen.update({r["sensor"]: r["time"] for r in newest})
            return [Event(r, r["time"], "reading") for r in newest]

        seen: dict[str, str] = {}
        return await watch(call, look, EVERY)

    return (live_route("GET", "/api/v1/devices/{device}/events", device_events, backbone, live),)
