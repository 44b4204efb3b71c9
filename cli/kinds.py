"""Kinds of sensors: list, add."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cli import show
from cli.options import At, Json, Workspace
from cli.session import connect

kinds = typer.Typer(invoke_without_command=True)


@kinds.callback()
def list_(context: typer.Context, at: At = "", workspace: Workspace = "", json: Json = False) -> None:
    """Types of sensors, the standard ones and the workspace's own; without a further verb they are listed."""
    if context.invoked_subcommand:
        return
    found = connect(at).items("/kinds", workspace=workspace)
    if json:
        show.json({"items": found})
        return
    rows = [(k["name"], k["value"], k["unit"], _range(k), k["workspace"] or "standard", k["description"]) for k in found]
    show.table(("kind", "value", "unit", "range", "from", "description"), rows, "No kinds.")


@kinds.command()
def add(
    name: str,
    value: Annotated[str, typer.Option("--value", help="number, boolean, text or object.")] = "number",
    unit: Annotated[str, typer.Option("--unit", help="Such as °C.")] = "",
    minimum: Annotated[float | None, typer.Option("--minimum", help="Readings below are refused.")] = None,
    maximum: Annotated[float | None, typer.Option("--maximum", help="Readings above are refused.")] = None,
    description: Annotated[str, typer.Option("--description", help="What it is, in a sentence.")] = "",
    at: At = "",
    workspace: Workspace = "",
    json: Json = False,
) -> None:
    """Add a kind of the workspace's own."""
    body = {"name": name, "value": value, "unit": unit, "minimum": minimum, "maximum": maximum, "description": description}
    made = connect(at).post("/kinds", body | ({"workspace": workspace} if workspace else {}))
    if json:
        show.json(made)
    else:
        show.say(f"{made['name']} is a kind of workspace {made['workspace']} now.")


def _range(kind: dict[str, Any]) -> str:
    low, high = kind["minimum"], kind["maximum"]
    return "" if low is None and high is None else f"{'' if low is None else f'{low:g}'} … {'' if high is None else f'{high:g}'}"
