"""Devices with their sensors, and what is wrong with a device or a kind that somebody wants to add. Pure."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from contracts.errors import Problem
from sensor_manager.kinds import VALUES, Kind
from sensor_manager.places import place_fault

NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")
KEY = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:-]{0,63}")
MOST_SENSORS = 200


@dataclass(frozen=True)
class Sensor:
    """`id` is global; `key` is the device's own name for it."""

    id: str
    key: str
    kind: str
    unit: str


@dataclass(frozen=True)
class Device:
    id: str
    workspace: str
    name: str
    place: str
    sensors: tuple[Sensor, ...]

    def sensor(self, named: str) -> Sensor | None:
        """By the device's own name or by the global id."""
        return next((s for s in self.sensors if named in (s.key, s.id)), None)


def device_of(doc: Mapping[str, Any], id: str) -> Device:
    sensors = tuple(Sensor(s["id"], s["key"], s["kind"], s["unit"]) for s in doc["sensors"])
    return Device(id, doc["workspace"], doc.get("name", ""), doc["place"], sensors)


def device_problems(
    name: str, place: str, sensors: Sequence[tuple[str, str, str | None]], kinds: Mapping[str, Kind]
) -> list[Problem]:
    """All that is wrong with a new device; `sensors` are (key, kind, unit or None)."""
    return [*_name_problems("name", name), *_place_problems(place), *_sensor_problems(sensors, kinds)]


def kind_problems(kind: Kind, taken: Iterable[str]) -> list[Problem]:
    """All that is wrong with a new kind; `taken` are the names already in use."""
    return list(_kind_problems(kind, set(taken)))


def did_you_mean(word: str, words: Iterable[str]) -> str:
    """A sentence for a name that is not there, empty when nothing is like it."""
    close = difflib.get_close_matches(word.lower(), list(words), n=1, cutoff=0.6)
    return f"Did you mean {close[0]}?" if close else ""


def _name_problems(path: str, name: str) -> Iterator[Problem]:
    if not NAME.fullmatch(name):
        rule = "A name is 1 to 40 of a-z, 0-9 and -, and does not start or end with -."
        yield Problem(path=path, value=name, rule=rule)


def _place_problems(place: str) -> Iterator[Problem]:
    if fault := place_fault(place):
        yield Problem(path="place", value=place, rule=fault)


def _sensor_problems(sensors: Sequence[tuple[str, str, str | None]], kinds: Mapping[str, Kind]) -> Iterator[Problem]:
    if not 1 <= len(sensors) <= MOST_SENSORS:
        yield Problem(path="sensors", value=len(sensors), rule=f"A device has 1 to {MOST_SENSORS} sensors.")
    seen: set[str] = set()
    for n, (key, kind, unit) in enumerate(sensors):
        if not KEY.fullmatch(key):
            rule = "A sensor's key is 1 to 64 letters, digits and _ . : -, and starts with a letter, a digit or _."
            yield Problem(path=f"sensors.{n}.key", value=key, rule=rule)
        if key in seen:
            yield Problem(path=f"sensors.{n}.key", value=key, rule="Each sensor of a device has its own key.")
        seen.add(key)
        if kind not in kinds:
            hint = did_you_mean(kind, kinds) or "GET /api/v1/kinds lists the kinds; POST /api/v1/kinds adds one."
            yield Problem(path=f"sensors.{n}.kind", value=kind, rule=f"There is no kind {kind!r}.", hint=hint)
        elif unit is not None and unit != kinds[kind].unit:
            rule = f"The kind {kind} is in {kinds[kind].unit or 'no unit'}; other units are not converted."
            yield Problem(path=f"sensors.{n}.unit", value=unit, rule=rule, hint="Leave the unit out.")


def _kind_problems(kind: Kind, taken: set[str]) -> Iterator[Problem]:
    yield from _name_problems("name", kind.name)
    if kind.name in taken:
        yield Problem(path="name", value=kind.name, rule=f"There is a kind {kind.name} already.", hint="Choose another name.")
    if kind.value not in VALUES:
        yield Problem(path="value", value=kind.value, rule=f"A kind's value is one of {', '.join(VALUES)}.")
    if len(kind.unit) > 20:
        yield Problem(path="unit", value=kind.unit, rule="A unit has at most 20 characters.")
    bounds = {"minimum": kind.minimum, "maximum": kind.maximum}
    for name, bound in bounds.items():
        if bound is not None and kind.value != "number":
            yield Problem(path=name, value=bound, rule="Only kinds of numbers have a range.")
    if kind.minimum is not None and kind.maximum is not None and kind.minimum > kind.maximum:
        yield Problem(path="minimum", value=kind.minimum, rule="The minimum is not above the maximum.")
