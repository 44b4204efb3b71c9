"""Earlier generations of a deployment, and a build that the deployer has not heard of yet. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from platform_ui.model import moment, seconds_between

MOST = 6


def before(d: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Newest first: how far each came, and how long it took."""
    made: dict[int, list[Any]] = {}
    for step in d["steps"]:
        if step["generation"] < d["wanted"]["generation"]:
            made.setdefault(step["generation"], []).append(step)
    return [_one(number, some) for number, some in sorted(made.items(), reverse=True)][:MOST]


def _one(number: int, some: list[Any]) -> dict[str, Any]:
    order = sorted(some, key=lambda s: moment(s["at"]))
    running = next((s for s in order if s["state"] == "RUNNING"), None)
    failed = next((s for s in order if s["state"] == "FAILED"), None)
    last = order[-1]["state"]
    reached = [s["state"] for s in order if s["state"] not in ("FAILED", "STOPPED")]
    took = seconds_between(order[0]["at"], running["at"]) if running else None
    return {"generation": number, "state": last, "took": took, "in": reached[-1] if failed and reached else "", "at": order[0]["at"]}


def unheard(release: Mapping[str, Any]) -> dict[str, Any]:
    """A build as the release itself knows it."""
    steps = [{"state": "ACCEPTED", "at": release["created"]}]
    return {k: release[k] for k in ("state", "reason", "hint")} | {"seconds": None, "steps": steps}
