"""The generations of a deployment, and a build that the deployer has not heard of yet. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from platform_ui.model import moment, seconds_between

MOST = 8


def before(d: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Those before the wanted one, newest first."""
    return [g for g in generations(d) if g["generation"] < d["wanted"]["generation"]][:MOST]


def generations(d: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Newest first: with what release, how far each came, and how long it took."""
    made: dict[int, list[Any]] = {}
    for step in d["steps"]:
        made.setdefault(step["generation"], []).append(step)
    return [_one(d, number, some) for number, some in sorted(made.items(), reverse=True)]


def _one(d: Mapping[str, Any], number: int, some: list[Any]) -> dict[str, Any]:
    order = sorted(some, key=lambda s: moment(s["at"]))
    running = next((s for s in order if s["state"] == "RUNNING"), None)
    failed = next((s for s in order if s["state"] == "FAILED"), None)
    last = order[-1]["state"]
    reached = [s["state"] for s in order if s["state"] not in ("FAILED", "STOPPED")]
    took = seconds_between(order[0]["at"], running["at"]) if running else None
    serves = d["serving"]["health"] != "none" and number == d["serving"]["generation"]
    over = last == "RUNNING" and not serves and number < d["wanted"]["generation"]
    return {
        "generation": number,
        "state": "replaced" if over else last,
        "took": took,
        "in": reached[-1] if failed and reached else "",
        "at": order[0]["at"],
        "version": order[-1]["version"],
        "release": order[-1]["release"],
        "serves": serves,
    }


def unheard(release: Mapping[str, Any]) -> dict[str, Any]:
    """A build as the release itself knows it."""
    steps = [{"state": "ACCEPTED", "at": release["created"]}]
    return {k: release[k] for k in ("state", "reason", "hint")} | {"seconds": None, "steps": steps}
