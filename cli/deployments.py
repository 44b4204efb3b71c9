"""What runs: ps, open, stop, destroy, instances."""

from __future__ import annotations

import shutil
import sys
from typing import Annotated, Any

import typer

from cli import follow, show
from cli.context import has_screen
from cli.failure import Failure
from cli.options import At, Json, Wait, Workspace, Yes
from cli.releases import ID
from cli.session import Platform, connect

Named = Annotated[str, typer.Argument(metavar="DEPLOYMENT", help="Its name or id.")]
Which = Annotated[str, typer.Argument(metavar="DEPLOYMENT", help="Only this one, by name or id.")]


def ps(which: Which = "", at: At = "", workspace: Workspace = "", json: Json = False) -> None:
    """Deployments: what is wanted, what serves, and the link."""
    platform = connect(at)
    found = [find(platform, which, workspace)] if which else platform.items("/deployments", workspace=workspace)
    if json:
        show.json({"items": found})
        return
    columns = ("workspace", "name", "version", "wanted", "serving", "ready", "link", "reason")
    show.table(columns, [_row(d) for d in found], "Nothing is deployed: berth deploy [DIR].")


def _row(d: dict[str, Any]) -> tuple[object, ...]:
    wanted, serving = d["wanted"], d["serving"]
    return (d["workspace"], d["name"], d["release"]["version"], wanted["state"], serving["health"],
            f"{serving['ready']}/{serving['wanted']}", d["link"], wanted["reason"])  # fmt: skip


def open_(which: Named, at: At = "", workspace: Workspace = "", json: Json = False) -> None:
    """Print a deployment's link, and open it where there is a screen."""
    d = find(connect(at), which, workspace)
    if json:
        show.json({"name": d["name"], "link": d["link"], "serving": d["serving"]})
        return
    show.line(d["link"])
    if d["serving"]["health"] in ("none", "down"):
        raise Failure(f"Nothing answers there now: {d['name']} is {d['wanted']['state']}.", f"berth ps {d['name']}")
    if sys.stdout.isatty() and has_screen() and (shutil.which("xdg-open") or shutil.which("open")):
        typer.launch(d["link"])


def stop(which: Named, wait: Wait = True, at: At = "", workspace: Workspace = "", json: Json = False) -> None:
    """Stop a deployment; `start` starts it again."""
    platform = connect(at)
    d = platform.post(f"/deployments/{find(platform, which, workspace)['id']}/stop")
    if wait:
        generation = d["wanted"]["generation"]
        d = follow.end_of(platform, d, quiet=json)
        if d["wanted"]["state"] != "STOPPED":
            raise follow.why_not(platform, d, generation)
    if json:
        show.json(d)
    else:
        show.say(f"{d['name']} is stopped." if wait else f"{d['name']} is being stopped.")


def destroy(which: Named, yes: Yes = False, wait: Wait = True, at: At = "", workspace: Workspace = "", json: Json = False) -> None:
    """Remove a deployment and all it has; the app's releases stay."""
    platform = connect(at)
    d = find(platform, which, workspace)
    if not yes:
        if not sys.stdin.isatty():
            raise Failure(f"Destroying {d['name']} asks first, and there is no terminal.", "Say --yes.", code=2)
        typer.confirm(f"Destroy {d['workspace']}/{d['name']}?", abort=True, err=True)
    d = platform.delete(f"/deployments/{d['id']}")
    if wait:
        _gone(platform, d)
    if json:
        show.json(d)
    else:
        show.say(f"{d['name']} is gone." if wait else f"{d['name']} is being destroyed.")


def _gone(platform: Platform, d: dict[str, Any]) -> None:
    generation = d["wanted"]["generation"]
    try:
        d = follow.end_of(platform, d, quiet=True)
        if d["wanted"]["state"] == "FAILED":
            raise follow.why_not(platform, d, generation)
    except Failure as failure:
        if failure.status != 404:
            raise


def instances(which: Which = "", at: At = "", workspace: Workspace = "", json: Json = False) -> None:
    """Running copies of services, as their nodes' agents see them."""
    platform = connect(at)
    deployment = find(platform, which, workspace)["id"] if which else ""
    found = platform.items("/instances", deployment=deployment, workspace=workspace)
    if json:
        show.json({"items": found})
        return
    columns = ("instance", "service", "generation", "state", "restarts", "node", "address", "since (UTC)", "reason")
    rows = [
        (i["id"], i["service"], i["generation"], i["state_name"], i["restarts"], i["node_name"] or i["node"], i["address"],
         show.moment(i["since"]), i["reason"])
        for i in found
    ]  # fmt: skip
    show.table(columns, rows, "No instances.")


def find(platform: Platform, which: str, workspace: str = "") -> dict[str, Any]:
    """By id, or by name: one's own first, then the only one of that name."""
    if ID.fullmatch(which):
        found: dict[str, Any] = platform.get(f"/deployments/{which}")
        return found
    named = platform.items("/deployments", workspace=workspace, name=which)
    own = [d for d in named if d["workspace"] == platform.context.username]
    chosen = own if len(own) == 1 else named
    if len(chosen) == 1:
        return chosen[0]
    if named:
        raise Failure(f"{which} is deployed in several workspaces: {', '.join(d['workspace'] for d in named)}.", "Choose with --workspace.")
    raise Failure(f"No deployment {which}.", "`berth ps` lists what there is.", {"status": 404, "title": "Not Found"})
