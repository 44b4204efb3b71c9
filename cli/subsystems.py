"""The platform's own parts: list, restart a replica."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cli import show
from cli.failure import Failure
from cli.incidents import followed, tell
from cli.options import At, Json, Wait
from cli.session import Platform, connect

subsystems = typer.Typer(invoke_without_command=True)


@subsystems.callback()
def list_(context: typer.Context, at: At = "", json: Json = False) -> None:
    """The platform's own parts, and whether they are ready; without a further verb they are listed."""
    if context.invoked_subcommand:
        return
    platform = connect(at)
    found = platform.items("/subsystems")
    if json:
        show.json({"items": found})
        return
    names = {n["node"]: n["name"] for n in platform.glance("/nodes")}
    rows = [_row(s, r, names.get(r["node"], r["node"])) for s in found for r in s["replicas"]]
    columns = ("subsystem", "state", "replica", "node", "replaced today", "last heard (UTC)", "reasons")
    show.table(columns, rows, "No subsystem was heard yet.")


def _row(part: dict[str, Any], replica: dict[str, Any], node: str) -> tuple[object, ...]:
    last, why = show.moment(replica["last"]), "; ".join(replica["reasons"])
    return _name(part), replica["state"], replica["replica"], node, part["restarts"], last, why


@subsystems.command()
def restart(
    replica: Annotated[str, typer.Argument(metavar="REPLICA", help="Its id or how that begins; or a subsystem that has one replica.")],
    wait: Wait = True,
    at: At = "",
    json: Json = False,
) -> None:
    """Have a replica replaced, and follow that until its successor is heard."""
    platform = connect(at)
    incident = platform.post(f"/subsystems/{_chosen(platform, replica)}/restart")
    if wait:
        incident = followed(platform, incident["id"], quiet=json)
    if json:
        show.json(incident)
    elif not wait:
        tell(incident)
    if wait and incident["outcome"] != "replaced":
        raise Failure(f"It was not replaced: {incident['timeline'][-1]['text']}.", f"berth incidents show {incident['id']}")


def _chosen(platform: Platform, given: str) -> str:
    """The one replica that is meant. Failure: none, or several."""
    parts = platform.items("/subsystems")
    replicas: list[tuple[str, str]] = [(_name(s), r["replica"]) for s in parts for r in s["replicas"]]
    word = given.replace("_", "-").replace(".", "-")
    found = [r for name, r in replicas if r.startswith(given) or name.replace("_", "-").replace(" ", "-") == word]
    if len(found) == 1:
        return found[0]
    if not found:
        raise Failure(f"No replica or subsystem {given}.", "berth subsystems lists them.")
    raise Failure(f"{given} has {len(found)} replicas: {', '.join(found)}.", "Name one of them.", code=2)


def _name(part: dict[str, Any]) -> str:
    return f"{part['subsystem']} {part['role']}".strip()
