"""Devices: list, add, show, give a new token, remove."""

from __future__ import annotations

import shlex
import sys
from typing import Annotated, Any

import typer

from cli import here, show
from cli.context import home
from cli.failure import Failure
from cli.options import At, Json, Workspace, Yes, pairs
from cli.releases import ID
from cli.session import Platform, connect

devices = typer.Typer(invoke_without_command=True)
LIKELY = {"occupancy": "true", "co2": "618", "light": "320", "load": "0.7"}
Named = Annotated[str, typer.Argument(metavar="DEVICE", help="Its name or id.")]


@devices.callback()
def list_(context: typer.Context, at: At = "", workspace: Workspace = "", json: Json = False) -> None:
    """Devices, with their sensors and tokens; without a further verb they are listed."""
    if context.invoked_subcommand:
        return
    platform = connect(at)
    found = platform.items("/devices", workspace=workspace)
    if json:
        show.json({"items": found})
        return
    heard = _heard(platform, {d["workspace"] for d in found})
    rows = [
        (d["place"], d["name"], ", ".join(s["kind"] for s in d["sensors"]), show.moment(heard.get(d["id"])) or "never", d["id"])
        for d in found
    ]
    columns = ("place", "device", "sensors", "heard (UTC)", "id")
    show.table(columns, rows, "No devices yet: berth devices add NAME --place hq/room --sensor t=temperature")


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
    _token(platform, made["token"], made["sensors"])


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
        _token(platform, made["token"], device["sensors"])


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


def _heard(platform: Platform, workspaces: set[str]) -> dict[str, str]:
    """When each device was heard last."""
    heard: dict[str, str] = {}
    for workspace in sorted(workspaces):
        for reading in platform.items("/readings/latest", workspace=workspace):
            heard[reading["device"]] = max(heard.get(reading["device"], ""), reading["time"])
    return heard


def _token(platform: Platform, token: str, sensors: list[dict[str, Any]]) -> None:
    """With a line that works as it is; away from the installation, up to the place of its CA."""
    local = here.by_url(home(), platform.context.url)
    file = local.ca_file if local and local.ca == platform.context.ca else "ca.crt"
    ca = f"--cacert {file} " if platform.context.ca else ""
    first = sensors[0] if sensors else {"key": "t", "kind": "temperature"}
    header = shlex.quote(f"Authorization: Bearer {token}")
    body = shlex.quote(f'{{"sensor_id": "{first["key"]}", "value": {LIKELY.get(first["kind"], "21.5")}}}')
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
