"""The platform itself: nodes, people and runtimes."""

from __future__ import annotations

from typing import Any

from cli import show
from cli.draw import part, share
from cli.options import At, Json
from cli.session import connect
from contracts.manifest_found import Given
from contracts.roles import by_team


def nodes(at: At = "", json: Json = False) -> None:
    """The machines that hold instances, and what they take now."""
    found = connect(at).items("/nodes")
    if json:
        show.json({"items": found})
        return
    columns = ("node", "address", "agent", "cores", "cpu", "memory", "disk", "load", "instances", "firewall", "last heard (UTC)")
    show.table(columns, [_node(n) for n in found], "No nodes were heard yet.")


def _node(n: dict[str, Any]) -> tuple[object, ...]:
    """Figures only where they are of now."""
    f = n["figures"] or {}
    return (
        n["name"], n["address"], "heard" if n["heard"] else "silent", n["cpus"], share(f.get("cpu")),
        part(f.get("memory_used"), f.get("memory_total") or n["memory"]), part(f.get("disk_used"), f.get("disk_total")),
        f.get("load"), n["instances"], "stands" if n["firewall"] else n["reason"] or "down", show.moment(n["last"]),
    )  # fmt: skip


def people(at: At = "", json: Json = False) -> None:
    """Everybody in the directory, with the roles and workspaces that their groups give."""
    found = connect(at).items("/people")
    if json:
        show.json({"items": found})
        return
    columns = ("username", "name", "roles", "workspaces by group", "other groups", "mail")
    show.table(columns, [_person(p) for p in found], "Nobody is in the directory.")


def _person(p: dict[str, Any]) -> tuple[object, ...]:
    teams, others = by_team(p["groups"])
    return p["username"], p["name"], ", ".join(p["roles"]), ", ".join(teams) or "their own", ", ".join(others), p["mail"]


def runtimes(json: Json = False) -> None:
    """What a service may be written for."""
    names = list(Given().runtimes)
    if json:
        show.json({"items": [{"name": name} for name in names]})
        return
    for name in names:
        show.line(name)
