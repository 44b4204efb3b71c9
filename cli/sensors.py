"""What is measured: places, sensors and readings."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cli import show
from cli.failure import Failure
from cli.options import At, Json, Workspace
from cli.session import Platform, connect


def places(at: At = "", workspace: Workspace = "", json: Json = False) -> None:
    """The tree of places, with what is there."""
    found = connect(at).items("/places", workspace=workspace)
    if json:
        show.json({"items": found})
        return
    rows = [(p["place"], p["devices"], ", ".join(f"{kind} {n}" for kind, n in p["sensors"].items())) for p in found]
    show.table(("place", "devices", "sensors"), rows, "No places yet: berth devices add puts a device somewhere.")


def sensors(
    kind: Annotated[str, typer.Option("--kind", help="Only of this kind.")] = "",
    place: Annotated[str, typer.Option("--place", help="Only at places like this, as in a manifest's where.")] = "",
    at: At = "",
    workspace: Workspace = "",
    json: Json = False,
) -> None:
    """Sensors: what an app with such a need would find."""
    found = connect(at).items("/sensors", kind=kind, place=place, workspace=workspace)
    if json:
        show.json({"items": found})
        return
    rows = [(s["place"], s["key"], s["kind"], s["unit"], s["sensor"]) for s in found]
    show.table(("place", "key", "kind", "unit", "sensor"), rows, "No sensors.")


def readings(
    sensor: Annotated[str, typer.Argument(help="Its id, or its device's own name for it where only one is called so.")],
    since: Annotated[str, typer.Option("--since", help="A time (RFC 3339), or how long ago: 15m.")] = "",
    until: Annotated[str, typer.Option("--until", help="As --since.")] = "",
    bucket: Annotated[str, typer.Option("--bucket", help="Mean, minimum and maximum of each 1m, 5m, 1h …")] = "",
    limit: Annotated[int, typer.Option("--limit", help="Of more, the newest.")] = 20,
    at: At = "",
    workspace: Workspace = "",
    json: Json = False,
) -> None:
    """A sensor's readings of the last hour, the newest at the end."""
    platform = connect(at)
    id = _sensor(platform, sensor, workspace)
    found = platform.get("/readings", sensor=id, since=since, until=until, bucket=bucket, limit=limit, workspace=workspace)
    if json:
        show.json(found)
        return
    columns = ("mean", "minimum", "maximum", "count") if bucket else ("value",)
    rows = [(p["time"], *(_number(p[c]) for c in columns), found["unit"]) for p in found["items"]]
    show.table(("time (UTC)", *columns, "unit"), rows, f"No readings of {found['kind']} at {found['place']} in this time.")


def _sensor(platform: Platform, named: str, workspace: str) -> str:
    found = platform.items("/sensors", workspace=workspace)
    if any(s["sensor"] == named for s in found):
        return named
    alike = [s for s in found if s["key"] == named]
    if len(alike) == 1:
        return str(alike[0]["sensor"])
    if alike:
        raise Failure(f"{len(alike)} sensors are called {named}.", "Give the id; `berth sensors` lists them.")
    raise Failure(f"No sensor {named}.", "`berth sensors` lists what there is.", {"status": 404, "title": "Not Found"})


def _number(value: Any) -> object:
    return f"{value:g}" if isinstance(value, float) else value
