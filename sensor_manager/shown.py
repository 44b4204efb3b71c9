"""How sensors, devices and readings look in answers, the same in the API, in event streams and for apps."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from contracts.messages.deployment import BoundSensor
from sensor_manager.model import Device
from sensor_manager.storage import Bucket, ReadingStore, Stored

Shown = dict[str, Any]


def time_text(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def sensors_of(device: Device) -> list[BoundSensor]:
    return [BoundSensor(sensor=s.id, key=s.key, device=device.id, kind=s.kind, unit=s.unit, place=device.place)
            for s in device.sensors]


def shown_device(device: Device, doc: Shown) -> Shown:
    """Without its token, which is shown once."""
    return {
        "id": device.id, "workspace": device.workspace, "name": device.name, "place": device.place,
        "sensors": [{"sensor": s.id, "key": s.key, "kind": s.kind, "unit": s.unit} for s in device.sensors],
        "created": doc.get("created"), "created_by": doc.get("created_by"),
    }  # fmt: skip


def shown_reading(sensor: BoundSensor, stored: Stored) -> Shown:
    return {**sensor.model_dump(), "time": time_text(stored.time), "value": stored.value}


def latest_of(store: ReadingStore, sensors: list[BoundSensor]) -> list[Shown]:
    """Of each sensor that has one."""
    found = store.latest([s.sensor for s in sensors])
    return [shown_reading(s, found[s.sensor]) for s in sensors if s.sensor in found]


def points_of(store: ReadingStore, sensor: str, since: datetime, until: datetime, seconds: int, limit: int) -> list[Shown]:
    """Single readings, or buckets of so many seconds."""
    if not seconds:
        return [{"time": time_text(s.time), "value": s.value} for s in store.history(sensor, since, until, limit)]
    return [_bucket(b) for b in store.buckets(sensor, since, until, seconds)]


def _bucket(b: Bucket) -> Shown:
    return {"time": time_text(b.time), "mean": b.mean, "minimum": b.minimum, "maximum": b.maximum, "count": b.count}
