"""A deployment wished for again: with another release, other numbers, or as it was. What a person chose before is kept. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from platform_ui.model import moment


def wish(d: Mapping[str, Any], release: str, instances: Mapping[str, int] | None = None) -> dict[str, Any]:
    """What POST /deployments takes."""
    return {"release": release, "name": d["name"], "instances": dict(instances or {}), "keep": True}


def version_of(d: Mapping[str, Any], generation: int) -> str:
    """The version that a generation was asked with; "" where that is not known any more."""
    if generation == d["wanted"]["generation"]:
        return str(d["release"]["version"])
    return next((s["version"] for s in reversed(d["steps"]) if s["generation"] == generation), "")


def release_of(d: Mapping[str, Any], generation: int) -> str:
    """The id of that release, or ""."""
    if generation == d["wanted"]["generation"]:
        return str(d["release"]["id"])
    return next((s["release"] for s in reversed(d["steps"]) if s["generation"] == generation), "")


def use_of(release: Mapping[str, Any], deployments: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
    """(tone, word) of a release: wanted, serving, or neither ("")."""
    for d in deployments:
        serving, wanted = d["serving"], d["wanted"]
        if serving["health"] != "none" and release_of(d, serving["generation"]) == release["id"]:
            return ("ok" if serving["health"] == "healthy" else "warn" if serving["health"] == "degraded" else "bad"), "serving"
        if d["release"]["id"] == release["id"] and wanted["wish"] == "run":
            return ("bad", "failed") if wanted["state"] == "FAILED" else ("busy", "wanted")
    return "", ""


def verb(release: Mapping[str, Any], d: Mapping[str, Any], releases: Sequence[Mapping[str, Any]]) -> str:
    """What asking for this release means: again, back to an older one, or on to a newer one."""
    if d["release"]["id"] == release["id"]:
        return "Deploy again"
    now = next((r for r in releases if r["id"] == d["release"]["id"]), None)
    return "Roll back" if now and moment(release["created"]) < moment(now["created"]) else "Deploy"
