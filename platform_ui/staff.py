"""How the platform's own parts look: rows of replicas, an incident's steps, what needs its staff. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from platform_ui.asking import Part
from platform_ui.attention import Attention, of_incident
from platform_ui.model import ago, capital, moment, plural

STATES = {"ready": "ok", "waiting": "warn", "silent": "bad"}
BACKING = {"up": "ok", "degraded": "warn", "away": "bad"}
NAMES = {"kafka": "Kafka", "postgres": "PostgreSQL", "azurite": "Azurite", "registry": "Registry", "slapd": "LDAP", "haproxy": "HAProxy"}
KINDS = {
    "replica": "a replica fell silent", "restart": "a restart that was ordered", "silence": "nearly all fell silent at once",
    "backing": "a backing service was away or slow",
}  # fmt: skip
AROUND = timedelta(seconds=10)


def part_name(subsystem: str, role: str = "") -> str:
    return f"{NAMES.get(subsystem, subsystem)} {role}".strip()


Beats = Callable[[str], list[str]]


def rows(parts: Iterable[Mapping[str, Any]], figures: Mapping[str, Any], beats: Beats, now: datetime) -> list[dict[str, Any]]:
    """One a replica, in the order of the parts; `first` is whether its part's name stands in it."""
    made = []
    for part in parts:
        for n, r in enumerate(part["replicas"]):
            age = (now - moment(r["last"])).total_seconds()
            made.append({
                "key": re.sub(r"[^A-Za-z0-9_-]", "-", r["replica"]), "replica": r["replica"], "node": r["node"], "first": n == 0,
                "name": part["subsystem"], "role": part["role"], "whole": part_name(part["subsystem"], part["role"]),
                "service": ".".join(filter(None, (part["subsystem"], part["role"]))),
                "state": r["state"], "tone": STATES.get(r["state"], "off"), "reasons": r["reasons"],
                "beats": beats(r["replica"]), "age": max(0.0, age), "since": r["since"], "figure": figures.get(r["replica"]),
                "restarts": part["restarts"], "incident": part["incident"] if part["incident_open"] else "",
                "alone": len(part["replicas"]) == 1,
            })  # fmt: skip
    return made


def known(parts: Iterable[Mapping[str, Any]], backing: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, str]]:
    """How each replica and each backing service is, by its id or name."""
    replicas = [(r["replica"], STATES.get(r["state"], "off"), r) for part in parts for r in part["replicas"]]
    services = [(b["name"], BACKING.get(b["state"], "off"), b) for b in backing]
    return {id: {"tone": tone, "state": one["state"], "since": one["since"]} for id, tone, one in (*replicas, *services)}


def shape(some: Sequence[Mapping[str, Any]]) -> tuple[Any, ...]:
    """What the table is drawn anew for."""
    return tuple((r["replica"], r["restarts"], r["incident"], r["since"]) for r in some)


def summary(parts: Sequence[Mapping[str, Any]], backing: Sequence[Mapping[str, Any]]) -> str:
    replicas = [r for p in parts for r in p["replicas"]]
    nodes = {r["node"] for r in replicas}
    unwell = sum(1 for r in replicas if r["state"] != "ready")
    away = sum(1 for b in backing if b["state"] != "up")
    names = {p["subsystem"] for p in parts}
    told = f"{plural(len(names), 'subsystem')}, {plural(len(replicas), 'replica')} on {plural(len(nodes), 'node')}."
    told += f" {plural(unwell, 'replica')} not ready." if unwell else " All are ready." if replicas else ""
    return told + (f" {plural(away, 'backing service')} not up." if away else "")


def figure_of(name: str, figures: Mapping[str, Any]) -> Any:
    """A container is called after its installation and its service."""
    return figures.get(name) or next((f for key, f in figures.items() if key.split("-")[-1] == name), None)


@dataclass(frozen=True)
class Step:
    """`since` is seconds since the step before, None for the first; `more` says what followed from it."""

    at: str
    title: str
    more: str
    tone: str
    since: float | None


def steps(incident: Mapping[str, Any]) -> list[Step]:
    lines = incident["timeline"]
    made = []
    for n, line in enumerate(lines):
        title, _, more = _parted(line["text"])
        tone = _tone(line["text"], n, n == len(lines) - 1, incident)
        made.append(Step(line["at"], capital(title), capital(more), tone, line["since_before"] if n else None))
    return made


def _tone(text: str, place: int, last: bool, incident: Mapping[str, Any]) -> str:
    if incident["closed"] and (last or "has seen it" not in text) and line_at_end(incident, text):
        return "ok"
    if text.startswith(("no heartbeat", "no answer", "not alive")) or "away" in text or "silent" in text or "does not answer" in text:
        return "warn" if incident["kind"] != "backing" else "bad"
    if place == 0 or "has seen it" in text:
        return ""
    return "busy"


def line_at_end(incident: Mapping[str, Any], text: str) -> bool:
    """Whether it is the line that closed it: at that very moment."""
    return any(line["text"] == text and line["at"] == incident["closed"] for line in incident["timeline"])


def _parted(text: str) -> tuple[str, str, str]:
    found = re.search(r"[:;] ", text)
    return (text[: found.start()], found[0], text[found.end() :]) if found and found.start() > 6 else (text, "", "")


def lasted(incident: Mapping[str, Any], now: datetime) -> float:
    if incident["seconds"] is not None:
        return float(incident["seconds"])
    return (now - moment(incident["opened"])).total_seconds()


def lines_of(incident: Mapping[str, Any], now: datetime, whole: bool = False) -> dict[str, str]:
    """The filters of the lines of its time, of its part or of everything."""
    begin = moment(incident["timeline"][0]["at"] if incident["timeline"] else incident["opened"]) - AROUND
    end = (moment(incident["closed"]) if incident["closed"] else now) + AROUND
    span = {"since": _text(begin), "until": _text(end)}
    if whole or not incident["subsystem"]:
        return span
    service = ".".join(filter(None, (incident["subsystem"], incident["role"])))
    return {"kind": "backing" if incident["kind"] == "backing" else "subsystem", "service": service, **span}


def attention(parts: Part, backing: Part, nodes: Part, incidents: Part, now: datetime) -> list[Attention]:
    """Of the platform's own; what an open incident is about stands once, as that."""
    made = [one for i in incidents.value if (one := of_incident(i))]
    about = {i["replica"] for i in incidents.value} | {i["subsystem"] for i in incidents.value if i["kind"] == "backing"}
    for p in parts.value:
        for r in p["replicas"]:
            if r["state"] != "ready" and r["replica"] not in about:
                why = " ".join(r["reasons"]) or f"No heartbeat for {ago((now - moment(r['last'])).total_seconds())}."
                tone, said = ("bad", "is silent") if r["state"] == "silent" else ("warn", "is not ready")
                made.append(Attention(tone, part_name(p["subsystem"], p["role"]), "/subsystems", said, 0, why, "See it", "/subsystems"))
    for b in backing.value:
        if b["state"] != "up" and b["name"] not in about:
            tone, why, href = BACKING.get(b["state"], "warn"), b["reason"] or "No reason is known.", "/subsystems#backing"
            made.append(Attention(tone, part_name(b["name"]), href, f"is {b['state']}", 0, why, "See it", href))
    for n in nodes.value:
        if n["tone"] != "ok":
            href = f"/nodes/{n['id']}"
            made.append(Attention(n["tone"], n["name"], href, f"is {n['word']}", 0, n["why"], "Open node", href))
    away = {"Subsystems": parts, "Backing services": backing, "Nodes": nodes, "Incidents": incidents}
    for what, told in away.items():
        if told.away:
            why = f"{told.away} Last seen {_seen(told, now)}."
            made.append(Attention("warn", what, "/subsystems", "cannot be seen just now", 0, why, "Look", "/subsystems"))
    return made


def _seen(told: Part, now: datetime) -> str:
    return f"{ago((now - moment(told.since)).total_seconds())} ago" if told.since else "never since this page's process began"


def standing(parts: Part, backing: Part, nodes: Part, incidents: Part) -> list[dict[str, Any]]:
    """In four lines: (what, tone, how it stands, where)."""
    replicas = [r for p in parts.value for r in p["replicas"]]
    ready, up = sum(r["state"] == "ready" for r in replicas), sum(b["state"] == "up" for b in backing.value)
    well, some = sum(n["tone"] == "ok" for n in nodes.value), len(incidents.value)
    return [
        _line("Subsystems", f"{ready} of {len(replicas)} replicas ready", "/subsystems", parts, ready == len(replicas)),
        _line("Backing services", f"{up} of {len(backing.value)} up", "/subsystems#backing", backing, up == len(backing.value)),
        _line("Nodes", f"{well} of {len(nodes.value)} well", "/nodes", nodes, well == len(nodes.value)),
        _line("Incidents", f"{some} open" if some else "none open", "/incidents", incidents, not some),
    ]


def _line(name: str, said: str, href: str, told: Part, well: bool) -> dict[str, Any]:
    if told.away:
        return {"name": name, "href": href, "tone": "off", "said": "does not answer", "since": told.since}
    return {"name": name, "href": href, "tone": "ok" if well else "warn", "said": said, "since": ""}


def _text(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
