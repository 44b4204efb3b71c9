"""Which sensors a deployment gets for what it needs, or in a sentence why it cannot get them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from contracts.messages.deployment import BoundSensor, Need, Shortage
from sensor_manager.kinds import Kind
from sensor_manager.model import Device, did_you_mean
from sensor_manager.places import fixed_part, matches, pattern_fault

MOST_NAMED = 5


@dataclass(frozen=True)
class Choice:
    """Either every need has its sensors, or there are shortages."""

    sensors: dict[str, tuple[BoundSensor, ...]]
    shortages: tuple[Shortage, ...]


Who = Mapping[str, str]
"""sensor -> the other deployment that has it."""


def choose(
    needs: Sequence[Need], devices: Iterable[Device], kinds: Mapping[str, Kind], held: Who | None = None,
    used: Who | None = None,
) -> Choice:
    """Sensors of `devices` (all of one workspace) for each need.

    all        every match, in order of place, at most `at_most`
    nearest    only `at_least` of them (one where that is 0): those with the fewest levels below the pattern's fixed part
    exclusive  as all, but none that another deployment uses (`used`)

    What another holds exclusively (`held`) is nobody else's.
    """
    held, used = held or {}, used or {}
    offered = [BoundSensor(sensor=s.id, key=s.key, device=d.id, kind=s.kind, unit=s.unit, place=d.place)
               for d in devices for s in d.sensors]
    sensors: dict[str, tuple[BoundSensor, ...]] = {}
    shortages: list[Shortage] = []
    for need in needs:
        if fault := _fault(need, kinds):
            shortages.append(_short(need, 0, fault))
            continue
        matching = [s for s in offered if s.kind == need.kind and matches(need.where, s.place)]
        others = {**used, **held} if need.policy == "exclusive" else held
        free = [s for s in matching if s.sensor not in others]
        if len(free) < need.at_least:
            shortages.append(_short(need, len(free), _too_few(need, free, matching, offered, others)))
        else:
            sensors[need.name] = tuple(_picked(need, free))
    return Choice(sensors, tuple(shortages))


def _picked(need: Need, free: Sequence[BoundSensor]) -> list[BoundSensor]:
    if need.policy == "nearest":
        near = sorted(free, key=lambda s: (s.place.count("/"), s.place, s.key, s.sensor))
        return near[: max(need.at_least, 1)][: need.at_most]
    return sorted(free, key=lambda s: (s.place, s.key, s.sensor))[: need.at_most]


def _fault(need: Need, kinds: Mapping[str, Kind]) -> str:
    if need.kind not in kinds:
        known = did_you_mean(need.kind, kinds) or f"There are {', '.join(sorted(kinds))}."
        return f"Needs sensors of kind {need.kind!r}, and there is no such kind. {known}"
    if fault := pattern_fault(need.where):
        return f"The pattern {need.where!r} of {need.name} is not one: {fault}"
    if need.policy not in ("all", "nearest", "exclusive"):
        return f"The policy {need.policy!r} of {need.name} is none of all, nearest, exclusive."
    return ""


def _too_few(
    need: Need, free: Sequence[BoundSensor], matching: Sequence[BoundSensor], offered: Sequence[BoundSensor],
    others: Who,
) -> str:
    """`Needs 3 temperature sensors at hq/floor-1/**, found 1 (hq/floor-1/room-101).` and where to look next."""
    plural = "" if need.at_least == 1 else "s"
    found = f"found {len(free)} ({_places(free)})" if free else "found none"
    said = f"Needs {need.at_least} {need.kind} sensor{plural} at {need.where}, {found}."
    who = sorted({f"{s.place} by deployment {others[s.sensor]}" for s in matching if s.sensor in others})
    if who:
        return f"{said} Others have {_few(who)}."
    elsewhere = [s for s in offered if s.kind == need.kind and s not in matching]
    if not free and elsewhere:
        return f"{said} There are {need.kind} sensors at {_places(elsewhere)}."
    if not free:
        return f"{said} The workspace has no {need.kind} sensor: add a device with one at {fixed_part(need.where) or 'any place'}."
    return said


def _places(sensors: Sequence[BoundSensor]) -> str:
    return _few(sorted({s.place for s in sensors}))


def _few(words: Sequence[str]) -> str:
    more = len(words) - MOST_NAMED
    return ", ".join(words[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _short(need: Need, found: int, reason: str) -> Shortage:
    return Shortage(
        need=need.name, kind=need.kind, where=need.where, wanted=need.at_least, found=found, reason=reason
    )
