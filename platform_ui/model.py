"""What things look like: tones of states, ages, sizes, values, what a role may go to. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

STEPS = ("ASKED", "BUILDING", "BINDING", "PLACING", "STARTING", "RUNNING")
BUILD_STEPS = ("ACCEPTED", "FETCHING", "BUILDING", "PUSHING", "BUILT")
ROLLOUT_TONES = {"RUNNING": "ok", "STOPPED": "off", "FAILED": "bad", "DRAINING": "busy"}
BUILD_TONES = {"BUILT": "ok", "FAILED": "bad"}
SERVING_TONES = {"healthy": "ok", "degraded": "warn", "down": "bad", "none": "off"}
INSTANCE_TONES = {"HEALTHY": "ok", "STARTING": "busy", "UNHEALTHY": "bad", "GONE": "off"}
QUIET = 120.0
OFFLINE = 3600.0


@dataclass(frozen=True)
class Place:
    """One entry of the navigation; `key` is what g and a letter go to."""

    key: str
    href: str
    name: str
    group: str
    roles: frozenset[str]


EVERYBODY = frozenset({"admin", "operator", "developer", "user"})
STAFF = frozenset({"admin", "operator"})
PLACES = (
    Place("home", "/", "Home", "", EVERYBODY),
    Place("subsystems", "/subsystems", "Subsystems", "Platform", STAFF),
    Place("incidents", "/incidents", "Incidents", "Platform", STAFF),
    Place("nodes", "/nodes", "Nodes", "Platform", STAFF),
    Place("logs", "/logs", "Logs", "Platform", STAFF),
    Place("apps", "/apps", "Apps", "Workspaces", STAFF),
    Place("devices", "/devices", "Devices", "Workspaces", STAFF),
    Place("people", "/people", "People and roles", "Govern", frozenset({"admin"})),
    Place("apps", "/apps", "Apps", "Run", EVERYBODY),
    Place("devices", "/devices", "Devices", "Sense", frozenset({"developer"})),
    Place("logs", "/logs", "Logs", "See", frozenset({"developer"})),
)
"""In the order of the side. Who may a place by two roles finds it where the first that fits has it."""
BARS = {"operator": ("subsystems", "incidents", "nodes", "logs"), "developer": ("home", "apps", "devices", "logs")}


def places(roles: Iterable[str]) -> list[Place]:
    """What a role may not go to is absent."""
    mine = set(roles)
    found: dict[str, Place] = {}
    for place in PLACES:
        if not place.roles.isdisjoint(mine):
            found.setdefault(place.key, place)
    return list(found.values())


def bar(roles: Iterable[str]) -> list[Place]:
    """What the bar of a phone has room for beside the menu."""
    mine = places(roles)
    keys = BARS["operator" if not STAFF.isdisjoint(roles) else "developer"]
    return [place for key in keys for place in mine if place.key == key]


def role(roles: Iterable[str]) -> str:
    """The one that says most of a person."""
    return next((name for name in ("admin", "operator", "developer", "user") if name in set(roles)), "no role")


def rollout_tone(state: str) -> str:
    return ROLLOUT_TONES.get(state, "busy")


def build_tone(state: str) -> str:
    return BUILD_TONES.get(state, "busy")


@dataclass(frozen=True)
class Step:
    """`look` is done, now, stop or nothing; `took` the seconds it lasted, None while it lasts or where it did not come."""

    name: str
    look: str
    at: str = ""
    took: float | None = None


def rollout_steps(deployment: Mapping[str, Any]) -> list[Step]:
    """The way of the wanted generation; where it failed, the step that it failed in."""
    wanted = deployment["wanted"]
    seen = [s for s in deployment["steps"] if s["generation"] == wanted["generation"]]
    return steps(STEPS, [(s["state"], s["at"]) for s in seen], wanted["state"])


def build_steps(build: Mapping[str, Any]) -> list[Step]:
    return steps(BUILD_STEPS, [(s["state"], s["at"]) for s in build["steps"]], build["state"])


def steps(names: Sequence[str], seen: Sequence[tuple[str, str]], state: str) -> list[Step]:
    """Each named step as it went. Steps that were passed without being seen count as done."""
    times = {name: at for name, at in seen}
    order = sorted((name for name, _ in seen), key=lambda name: names.index(name) if name in names else len(names))
    ends = {a: times[b] for a, b in zip(order, order[1:])}
    reached = max((names.index(name) for name, _ in seen if name in names), default=0)
    arrived = state == names[-1] or (state == "DRAINING")
    made = []
    for index, name in enumerate(names):
        at, end = times.get(name, ""), ends.get(name, "")
        took = seconds_between(at, end) if at and end and index < len(names) - 1 else None
        if state in ("FAILED", "STOPPED") and index == reached:
            look = "stop" if state == "FAILED" else "done"
        elif index < reached or (arrived and index == reached):
            look = "done"
        else:
            look = "now" if index == reached and state not in ("FAILED", "STOPPED") else ""
        made.append(Step(name, look, at, took))
    return made


def moment(text: str) -> datetime:
    """Times as text are of different width, so they are compared as times."""
    return datetime.fromisoformat(text)


def seconds_between(start: str, end: str) -> float:
    return max(0.0, (moment(end) - moment(start)).total_seconds())


def ago(seconds: float) -> str:
    """An age: under a minute in s, then min, h and d, at most two parts."""
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min"
    if whole < 86400:
        return f"{whole // 3600} h {whole % 3600 // 60} min" if whole % 3600 >= 60 else f"{whole // 3600} h"
    return f"{whole // 86400} d {whole % 86400 // 3600} h" if whole % 86400 >= 3600 else f"{whole // 86400} d"


def took(seconds: float) -> str:
    """A duration: tenths below ten seconds."""
    return f"{seconds:.1f} s" if seconds < 60 else ago(seconds)


def size(count: float) -> str:
    for unit, part in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= part:
            return f"{count / part:.1f} {unit}"
    return f"{int(count)} bytes"


def value(given: Any) -> str:
    """A reading's value for people: at most what the eye can use, without inventing digits."""
    if given is None:
        return "–"
    if isinstance(given, bool):
        return "yes" if given else "no"
    if isinstance(given, (int, float)):
        most = 0 if abs(given) >= 100 else 1 if abs(given) >= 10 else 2
        text = f"{given:.{most}f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    text = given if isinstance(given, str) else str(given)
    return text if len(text) <= 40 else text[:39] + "…"


def presence(age: float | None) -> tuple[str, str]:
    """(tone, word) of a device by its newest reading's age in seconds."""
    if age is None:
        return "off", "nothing yet"
    if age <= QUIET:
        return "ok", "online"
    return ("warn", "quiet") if age <= OFFLINE else ("off", "offline")


def plural(count: int, one: str, many: str = "") -> str:
    return f"{count} {one if count == 1 else many or one + 's'}"


def capital(text: str) -> str:
    """A sentence begins with one; what follows stays as it is."""
    return text[:1].upper() + text[1:]
