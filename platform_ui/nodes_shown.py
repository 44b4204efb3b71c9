"""How nodes look: their state, meters, charts of the last hour or day, and what runs on them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from platform_ui.charted import Chart, Span
from platform_ui.model import INSTANCE_TONES, moment, size

GB, KB = 1e9, 1e3
BUSY, FULL = 70, 85


SPANS = {s.key: s for s in (Span("1h", "1 h", 3600, 20), Span("24h", "24 h", 86400, 300))}
SPARK = Span("spark", "1 h", 3600, 60)


@dataclass(frozen=True)
class Meter:
    """`percent` of the whole; tone "" while there is room."""

    name: str
    percent: int
    said: str

    @property
    def tone(self) -> str:
        return "bad" if self.percent >= FULL else "warn" if self.percent >= BUSY else ""


def shown(n: Mapping[str, Any]) -> dict[str, Any]:
    tone, word, why = state(n)
    return {**n, "tone": tone, "word": word, "why": why, "meters": meters(n), "instances": n.get("instances"), "figures": n.get("figures")}


def state(n: Mapping[str, Any]) -> tuple[str, str, str]:
    """(tone, word, why)"""
    if not n["heard"]:
        return "bad", "silent", "Its agent was not heard for more than 30 s. What runs there goes on while the node does, but unseen."
    if not n["firewall"]:
        return "warn", "without a firewall", f"It takes no apps until the firewall stands. {n['reason']}".strip()
    if "figures" in n and not n["figures"]:
        return "warn", "without figures", "Its agent is heard, but sends no figures: what it has left is not known."
    return "ok", "ready", ""


def meters(n: Mapping[str, Any]) -> list[Meter]:
    f = n.get("figures")
    if not f:
        return []
    made = [
        Meter("CPU", round(f["cpu"]), f"{f['cpu']:.0f} % of {n['cpus']} cores"),
        _meter("Memory", f["memory_used"], f["memory_total"]),
    ]
    return made + ([_meter("Disk", f["disk_used"], f["disk_total"])] if f.get("disk_total") else [])


def _meter(name: str, used: float, whole: float) -> Meter:
    percent = round(100 * used / whole) if whole else 0
    return Meter(name, percent, f"{percent} % of {size(whole)}")


def begin(now: datetime, span: Span) -> str:
    return (now - timedelta(seconds=span.seconds)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def charts(n: Mapping[str, Any], items: Sequence[Mapping[str, Any]], span: Span, now: datetime) -> list[Chart]:
    """On one grid of moments; where nothing was measured the line has a gap."""
    x = span.grid(now)
    f = n.get("figures") or {}
    lines: dict[str, tuple[str, str, str, float, tuple[str, ...]]] = {
        "cpu": ("CPU", "%", f"of {n['cpus']} cores together", 1.0, ("cpu",)),
        "memory": ("Memory", "GB", f"of {size(n['memory'])}", 1 / GB, ("memory",)),
        "load": ("Load", "", f"runnable processes, {n['cpus']} cores", 1.0, ("load",)),
        "network": ("Network", "kB/s", "without loopback and containers", 1 / KB, ("received", "sent")),
        "disk": ("Disk", "GB", f"of {size(f['disk_total'])}" if f.get("disk_total") else "", 1 / GB, ("disk",)),
    }
    made = []
    for key, (title, unit, note, scale, some) in lines.items():
        series: list[dict[str, Any]] = [
            {"label": name, "unit": unit, "s": i + 1, "id": name, "data": line(items, name, x, span.step, scale), "fill": len(some) == 1}
            for i, name in enumerate(some)
        ]
        known = [v for one in series for v in one["data"] if v is not None]
        if key == "disk" and not known:
            continue
        ranged = f"between {min(known):g} and {max(known):g} {unit}".strip() if known else "nothing measured yet"
        data = {"x": x, "series": series, "h": 140, "left": 44, "step": span.step, "unit": "%" if unit == "%" else ""}
        data |= {"max": 100.0} if key == "cpu" else {}
        made.append(Chart(key, title, note, data, f"{title} of {n['name']}, last {span.name}: {ranged}"))
    return made


def line(items: Sequence[Mapping[str, Any]], key: str, x: Sequence[int], step: int, scale: float) -> list[float | None]:
    places = {at: n for n, at in enumerate(x)}
    made: list[float | None] = [None] * len(x)
    for item in items:
        at = places.get(int(moment(item["time"]).timestamp()) // step * step)
        if at is not None and item.get(key) is not None:
            made[at] = round(item[key] * scale, 3)
    return made


def spark(items: Sequence[Mapping[str, Any]]) -> list[float | None]:
    return [item.get("cpu") for item in items][-60:]


def point(told: Mapping[str, Any]) -> dict[str, Any]:
    """What a second of a node's figures adds to its charts."""
    f = told["of_node"]
    return {
        "t": moment(told["time"]).timestamp(), "names": {},
        "cpu": {"cpu": f["cpu"]}, "memory": {"memory": round(f["memory_used"] / GB, 3)}, "load": {"load": f["load"]},
        "network": {"received": round(f["received"] / KB, 2), "sent": round(f["sent"] / KB, 2)},
        "disk": {"disk": round(f["disk_used"] / GB, 3)} if f.get("disk_used") is not None else {},
    }  # fmt: skip


def with_figures(n: Mapping[str, Any], told: Mapping[str, Any]) -> dict[str, Any]:
    """The node as a second's figures show it."""
    return shown({**n, "figures": {"time": told["time"], **told["of_node"]}})


Known = Mapping[str, Mapping[str, str]]
"""By the id of a replica, or the name of a backing service: its tone, its state, since when."""


def running(instances: Iterable[Mapping[str, Any]], figures: Iterable[Mapping[str, Any]], known: Known) -> list[dict[str, Any]]:
    """Apps first, by name; then the platform's own."""
    newest = {f["instance"]: f for f in figures}
    made = []
    for i in instances:
        if i.get("ended"):
            continue
        f = newest.pop(i["id"], None)
        made.append({
            "id": i["id"], "kind": "app", "workspace": i["workspace"], "deployment": i["deployment"], "service": i["service"],
            "generation": i["generation"], "tone": INSTANCE_TONES.get(i["state_name"], "off"), "state": i["state_name"].lower(),
            "reason": i.get("reason", ""), "since": i.get("since", ""), "figure": f, "restarts": i.get("restarts"),
        })  # fmt: skip
    for f in newest.values():
        how = known.get(f["instance"]) or known.get(f["instance"].split("-")[-1]) or {"tone": "off", "state": "not heard", "since": ""}
        made.append({
            "id": f["instance"], "kind": f["kind"], "workspace": f.get("workspace", ""), "deployment": f.get("deployment", ""),
            "service": f.get("service") or f["instance"], "generation": f.get("generation", 0), **how,
            "reason": "", "figure": f, "restarts": f.get("restarts"),
        })  # fmt: skip
    order = {"app": 0, "subsystem": 1, "backing": 2}
    return sorted(made, key=lambda r: (order.get(r["kind"], 3), r["workspace"], r["service"], r["id"]))


def shape(some: Iterable[Mapping[str, Any]]) -> list[tuple[Any, ...]]:
    """What the table of them is drawn anew for; figures change only their cells."""
    return [(r["id"], r["state"], r["reason"], r["since"]) for r in some]
