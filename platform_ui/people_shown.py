"""What a person's groups give: roles, and membership of workspaces. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from contracts.roles import by_team
from platform_ui.model import role

ROLES = {
    "admin": "Everything of the platform: people, roles, nodes, and the apps of every workspace.",
    "operator": "Reads everything but secrets; restarts subsystems, acknowledges incidents. No people, no settings.",
    "developer": "In their workspaces uploads, deploys, adds devices and kinds, reads logs.",
    "user": "Opens the apps of the workspaces they are a member of. Whoever may log in is at least this.",
}


def shown(p: Mapping[str, Any]) -> dict[str, Any]:
    teams, others = by_team(p["groups"])
    return {**p, "role": role(p["roles"]), "teams": sorted(teams), "others": sorted(others)}


def given(people: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Each role with what it may and how many have it; a person counts for each of theirs."""
    some = list(people)
    return [{"role": name, "may": may, "people": sum(name in p["roles"] for p in some)} for name, may in ROLES.items()]
