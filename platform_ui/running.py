"""What runs of a deployment: its instances with their newest figures, and their figures as charts. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from platform_ui.charted import Chart, Span
from platform_ui.model import INSTANCE_TONES

MOST = 6
"""As many as there are colours that one can tell apart."""
ENDED = 4
"""How many of those that ended are shown."""
MIB = 2**20
WORDS = {"HEALTHY": "healthy", "STARTING": "starting", "UNHEALTHY": "not healthy", "GONE": "ended"}


SPANS = {s.key: s for s in (Span("15m", "15 min", 900, 10), Span("1h", "1 h", 3600, 10), Span("1d", "1 d", 86400, 300))}


def name_of(instance: Mapping[str, Any]) -> str:
    """Ids differ in their ends: those made in one second begin alike."""
    return f"{instance['service']}.{instance['id'][-4:]}"


def rows(instances: Iterable[Mapping[str, Any]], figures: Iterable[Mapping[str, Any]] = ()) -> list[dict[str, Any]]:
    """Those that live first, newest generation first; those that ended after them. `figures` None: not known now."""
    newest = {f["instance"]: f for f in figures}
    made = [_row(i, newest.get(i["id"])) for i in instances]
    live, ended = ([r for r in made if r["ended"] is over] for over in (False, True))
    last = sorted(ended, key=lambda r: r["since"], reverse=True)[:ENDED]
    return sorted(live, key=lambda r: (-r["generation"], r["service"], r["id"])) + last


def _row(i: Mapping[str, Any], figure: Mapping[str, Any] | None) -> dict[str, Any]:
    state = i["state_name"]
    return {
        "id": i["id"],
        "name": name_of(i),
        "service": i["service"],
        "generation": i["generation"],
        "state": WORDS.get(state, state.lower()),
        "tone": INSTANCE_TONES.get(state, "off"),
        "ended": state == "GONE",
        "reason": i.get("reason", ""),
        "node": i.get("node_name") or i["node"][:12],
        "since": i["since"],
        "restarts": i.get("restarts"),
        "figure": figure if state != "GONE" else None,
    }


def shape(some: Sequence[Mapping[str, Any]]) -> tuple[Any, ...]:
    """What a table of them is drawn anew for; figures alone change only their cells."""
    return tuple(tuple((k, v) for k, v in row.items() if k != "figure") for row in some)


def percent(part: float | None, whole: float | None) -> int:
    return max(0, min(100, round(100 * part / whole))) if part is not None and whole else 0


def mib(count: float) -> str:
    """Memory as one compares it with a limit: whole numbers, but for little."""
    size = count / MIB
    return f"{size:.0f}" if size >= 10 else f"{size:.1f}"


def charts(some: Sequence[Mapping[str, Any]], told: Mapping[str, Sequence[Mapping[str, Any]]], span: Span, now: datetime) -> list[Chart]:
    """CPU and memory of each instance on one grid of moments; where nothing was measured the line has a gap."""
    shown = [r for r in drawn(some) if told.get(r["id"]) or not r["ended"]]
    x = span.grid(now)
    limit = next((f["memory_limit"] for r in shown if (f := r["figure"]) and f.get("memory_limit")), None)
    facts = (
        ("cpu", "CPU", "%", "percent of one core", "of one core", 1.0),
        ("memory", "Memory", "MiB", "MiB", f"limit {mib(limit)} MiB each" if limit else "", 1 / MIB),
    )
    made = []
    for key, title, unit, words, note, scale in facts:
        series = [
            {"label": r["name"], "unit": unit, "s": n + 1, "id": r["id"], "data": _line(told.get(r["id"], ()), key, x, span.step, scale)}
            for n, r in enumerate(shown)
        ]
        known = [v for one in series for v in one["data"] if v is not None]
        ranged = f"between {min(known):g} and {max(known):g} {words}" if known else "nothing measured yet"
        data = {"x": x, "series": series, "h": 170, "left": 44, "step": span.step, "unit": "%" if unit == "%" else ""}
        said = f"{title} of each instance, last {span.name}: {ranged}"
        made.append(Chart(key, f"{title} of each instance", note, data, said))
    return made


def drawn(some: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Which of them, in an order that stays: those that live before those that ended, by their ids."""
    return sorted(sorted(some, key=lambda r: r["ended"])[:MOST], key=lambda r: r["id"])


def _line(items: Sequence[Mapping[str, Any]], key: str, x: Sequence[int], step: int, scale: float) -> list[float | None]:
    places = {moment: n for n, moment in enumerate(x)}
    made: list[float | None] = [None] * len(x)
    for item in items:
        at = places.get(int(datetime.fromisoformat(item["time"]).timestamp()) // step * step)
        if at is not None and item.get(key) is not None:
            made[at] = round(item[key] * scale, 2)
    return made


def points(told: Mapping[str, Any], deployment: str) -> dict[str, Any]:
    """What a second of figures adds to the charts."""
    mine = [i for i in told["instances"] if i["deployment"] == deployment]
    return {
        "t": datetime.fromisoformat(told["time"]).timestamp(),
        "cpu": {i["instance"]: round(i["cpu"], 2) for i in mine},
        "memory": {i["instance"]: round(i["memory"] / MIB, 2) for i in mine},
        "names": {i["instance"]: name_of({"service": i["service"], "id": i["instance"]}) for i in mine},
    }
