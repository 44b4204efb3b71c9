"""The simulated building: read from a plain file, and made into the devices that stand for its rooms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

WINDOWS = {"east": 9.0, "south": 12.0, "west": 15.5, "north": None, "none": None}
"""The hour at which the sun stands right in it."""
SENSORS = ("temperature", "humidity", "co2", "light", "occupancy")
DEFAULT = Path(__file__).resolve().parents[1] / "examples" / "building" / "building.yml"


@dataclass(frozen=True)
class Room:
    """area in m², people at most, heat of machines in W."""

    place: str
    area: float
    people: int
    window: str
    heat: float
    sensors: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.place.replace("/", "-")

    @property
    def device(self) -> dict[str, Any]:
        """The body of POST /devices."""
        return {"name": self.name, "place": self.place, "sensors": [{"key": kind, "kind": kind} for kind in self.sensors]}


def read_building(path: Path = DEFAULT) -> list[Room]:
    """ValueError: a sentence that says what is wrong with the file."""
    try:
        written = yaml.safe_load(path.read_text())
        top = "/".join(part for part in (written["site"], written.get("building", "")) if part)
        return [_room(f"{top}/{floor}/{name}", facts) for floor, rooms in written["floors"].items() for name, facts in rooms.items()]
    except (OSError, yaml.YAMLError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} does not describe a building: {error}. See examples/building/building.yml.") from error


def _room(place: str, facts: dict[str, Any]) -> Room:
    window = facts.get("window", "none")
    if window not in WINDOWS:
        raise ValueError(f"{place}: window {window!r} is none of {', '.join(WINDOWS)}.")
    sensors: Sequence[str] = facts.get("sensors", SENSORS)
    return Room(place, float(facts["area"]), int(facts["people"]), window, float(facts.get("heat", 0)), tuple(sensors))
