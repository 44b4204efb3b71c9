"""Devices: list, add, show, give a new token, remove."""

from __future__ import annotations

import shlex
import sys
from typing import Annotated, Any

import typer

from cli import show
from cli.failure import Failure
from cli.options import At, Json, Workspace, Yes, pairs
from cli.releases import ID
from cli.session import Platform, connect

devices = typer.Typer(invoke_without_command=True)
Named = Annotated[str, typer.Argument(metavar="DEVICE", help="Its name or id.")]


@devices.callback()
def list_(context: typer.Context, at: At = "", workspace: Workspace = "", json: Json = False) -> None:
    """Devices, with their sensors and tokens; without a further verb they are listed."""
    if context.invoked_subcommand:
        return
    found = connect(at).items("/devices", workspace=workspace)
    if json:
        show.json({"items": found})
        return
    rows = [(d["place"], d["name"], ", ".join(s["kind"] for s in d["sensors"]), d["id"]) for d in found]
    show.table(("place", "device", "sensors", "id"), rows, "No devices yet: berth devices add NAME --place hq/room --sensor t=temperature")


@devices.command()
def add(
    name: str,
    place: Annotated[str, typer.Option("--place", help="Where it is: site/building/floor/room.")],
    sensor: Annotated[list[str], typer.Option("--sensor", metavar="KEY=KIND", help="What it measures, by its own name; several times.")],
    at: At = "",
    workspace: Workspace = "",
    json: Json = False,
) -> None:
    """Add a device; its token is shown this once."""
    platform = connect(at)
    sensors = [{"key": key, "kind": kind} for key, kind in pairs(sensor, "--sensor", "t=temperature").items()]
    made = platform.post("/devices", {"name": name, "place": place, "sensors": sensors} | ({"workspace": workspace} if workspace else {}))
    if json:
        show.json(made)
        return
    show.say(f"{made['name']} at {made['place']}: device {made['id']}")
    _token(platform, made["token"], made["sensors"][0]["key"] if made["sensors"] else "t")


@devices.command("show")
def show_(which: Named, at: At = "", workspace: Workspace = "", json: Json = False) -> None:
    """A device with the newest reading of each sensor."""
    platform = connect(at)
    found = platform.get(f"/devices/{_find(platform, which, workspace)['id']}")
    if json:
        show.json(found)
        return
    latest = {r["sensor"]: r for r in found["latest"]}
    rows = [(s["key"], s["kind"], latest.get(s["sensor"], {}).get("value"), s["unit"], show.moment(latest.get(s["sensor"], {}).get("time")),
             s["sensor"]) for s in found["sensors"]]  # fmt: skip
    show.say(f"{found['name']} at {found['place']}: device {found['id']}")
    show.table(("key", "kind", "value", "unit", "time (UTC)", "sensor"), rows, "No sensors.")


@devices.command()
def token(which: Named, at: At = "", workspace: Workspace = "", json: Json = False) -> None:
    """Make a new token, shown this once; the old one counts no more."""
    platform = connect(at)
    device = _find(platform, which, workspace)
    made = platform.post(f"/devices/{device['id']}/token")
    if json:
        show.json(made)
    else:
        _token(platform, made["token"], device["sensors"][0]["key"] if device["sensors"] else "t")


@devices.command()
def remove(which: Named, yes: Yes = False, at: At = "", workspace: Workspace = "", json: Json = False) -> None:
    """Remove a device; its token counts no more, its readings stay."""
    platform = connect(at)
    device = _find(platform, which, workspace)
    if not yes:
        if not sys.stdin.isatty():
            raise Failure(f"Removing {device['name']} asks first, and there is no terminal.", "Say --yes.", code=2)
        typer.confirm(f"Remove {device['name']} at {device['place']}?", abort=True, err=True)
    platform.delete(f"/devices/{device['id']}")
    if json:
        show.json({"id": device["id"], "removed": True})
    else:
        show.say(f"{device['name']} is gone.")


def _token(platform: Platform, token: str, key: str) -> None:
    """With a line that works as it is, up to the CA's place."""
    ca = "--cacert ca.crt " if platform.context.ca else ""
    header = shlex.quote(f"Authorization: Bearer {token}")
    body = shlex.quote(f'{{"sensor_id": "{key}", "value": 21.5}}')
    show.say("Its token is shown this once:")
    show.line(token)
    show.say(f"curl {ca}{platform.context.url}/api/v1/readings -H {header} -H 'Content-Type: application/json' -d {body}", "dim")


def _find(platform: Platform, which: str, workspace: str) -> dict[str, Any]:
    if ID.fullmatch(which):
        found: dict[str, Any] = platform.get(f"/devices/{which}")
        return found
    named = [d for d in platform.items("/devices", workspace=workspace) if d["name"] == which]
    if len(named) == 1:
        return named[0]
    if named:
        raise Failure(f"{len(named)} devices are called {which}.", "Give the id; `berth devices` lists them.")
    raise Failure(f"No device {which}.", "`berth devices` lists what there is.", {"status": 404, "title": "Not Found"})
