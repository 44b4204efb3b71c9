"""What happened lately in a workspace, read off its deployments' steps and its releases. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from platform_ui.model import moment

MOST = 8
TOLD = {"ASKED": "was asked for", "RUNNING": "runs", "FAILED": "failed", "STOPPED": "stopped"}


@dataclass(frozen=True)
class Happened:
    """`tone` is of its shape, "" where it is nobody's state."""

    at: str
    name: str
    href: str
    text: str
    generation: int = 0
    tone: str = ""


def lately(apps: Iterable[Mapping[str, Any]]) -> list[Happened]:
    """Newest first."""
    told = [one for app in apps for one in (*_releases(app), *(step for d in app["deployments"] for step in _steps(d)))]
    return sorted(reversed(told), key=lambda one: moment(one.at), reverse=True)[:MOST]


def _releases(app: Mapping[str, Any]) -> list[Happened]:
    newest = app["newest"]
    if not newest:
        return []
    text = f"{newest['version']} was uploaded by {newest['created_by']}"
    return [Happened(newest["created"], app["name"], f"/releases/{newest['id']}", text)]


def _steps(d: Mapping[str, Any]) -> list[Happened]:
    tones = {"RUNNING": "ok", "FAILED": "bad", "STOPPED": "off"}
    return [
        Happened(s["at"], d["name"], f"/deployments/{d['id']}", TOLD[s["state"]], s["generation"], tones.get(s["state"], "busy"))
        for s in d["steps"]
        if s["state"] in TOLD
    ]
