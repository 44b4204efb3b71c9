"""Which raw readings of a device are taken, and why others are not. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sensor_manager.intake.parse import Raw
from sensor_manager.intake.times import age_fault, time_of
from sensor_manager.kinds import Kind, value_fault
from sensor_manager.model import Device, Sensor
from sensor_manager.reading import Reading, split

DEEPEST = 50


@dataclass(frozen=True, slots=True)
class Verdict:
    """`reading` where it is taken, else the `reason`; `foreign`: the sensor is not this device's."""

    sensor: str
    reading: Reading | None
    reason: str = ""
    foreign: bool = False


def check(raws: Sequence[Raw], device: Device, kind_of: Callable[[str, str], Kind | None], now: int) -> list[Verdict]:
    """One verdict a raw reading, in their order; `now` in microseconds."""
    sensors = {sensor.key: sensor for sensor in device.sensors} | {sensor.id: sensor for sensor in device.sensors}
    return [_checked(raw, device, sensors, kind_of, now) for raw in raws]


def _checked(
    raw: Raw, device: Device, sensors: dict[str, Sensor], kind_of: Callable[[str, str], Kind | None], now: int
) -> Verdict:
    if raw.fault:
        return Verdict(raw.sensor, None, raw.fault)
    sensor = sensors.get(raw.sensor)
    if sensor is None:
        known = ", ".join(s.key for s in device.sensors[:10])
        return Verdict(raw.sensor, None, f"{raw.sensor!r:.80} is not a sensor of this device; it has {known}.", True)
    kind = kind_of(device.workspace, sensor.kind)
    if kind is None:
        return Verdict(raw.sensor, None, f"The kind {sensor.kind} of this sensor is gone.")
    time = time_of(raw.time, now)
    fault = time if isinstance(time, str) else age_fault(time, now) or value_fault(kind, raw.value) or text_fault(raw.value)
    if isinstance(time, str) or fault:
        return Verdict(raw.sensor, None, str(fault))
    number, other = split(raw.value)
    return Verdict(raw.sensor, Reading(sensor.id, device.id, device.workspace, time, number, other))


def text_fault(value: Any, levels: int = DEEPEST) -> str:
    """PostgreSQL keeps no NUL in text, at any depth."""
    if isinstance(value, str):
        return "Text holds no NUL." if "\0" in value else ""
    if not isinstance(value, (dict, list)):
        return ""
    if not levels:
        return f"An object is at most {DEEPEST} levels deep."
    parts = [part for pair in value.items() for part in pair] if isinstance(value, dict) else value
    return next((fault for part in parts if (fault := text_fault(part, levels - 1))), "")
