"""A deployment wished for again: with other numbers, with an earlier release, or as it was. What was chosen for it stays."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cli import follow, show
from cli.deployments import Named, find
from cli.failure import Failure
from cli.options import At, Json, Wait, Workspace, counts
from cli.releases import ID
from cli.session import Platform, connect

To = Annotated[str, typer.Argument(metavar="VERSION|RELEASE", help="Without it, the release that ran before this one.")]
Numbers = Annotated[list[str], typer.Argument(metavar="SERVICE=N", help="How many instances of each service.")]


def scale(which: Named, numbers: Numbers, wait: Wait = True, at: At = "", workspace: Workspace = "", json: Json = False) -> None:
    """Run more or fewer instances of a deployment's services."""
    platform = connect(at)
    d = find(platform, which, workspace)
    _wished(platform, d, d["release"]["id"], counts(numbers, "", "web=2"), wait, json)


def rollback(which: Named, to: To = "", wait: Wait = True, at: At = "", workspace: Workspace = "", json: Json = False) -> None:
    """Run an earlier release of a deployment; what serves goes on until that is healthy."""
    platform = connect(at)
    d = find(platform, which, workspace)
    _wished(platform, d, _release(platform, d, to) if to else _before(d), {}, wait, json)


def start(which: Named, wait: Wait = True, at: At = "", workspace: Workspace = "", json: Json = False) -> None:
    """Start a deployment that was stopped or failed, as it was."""
    platform = connect(at)
    d = find(platform, which, workspace)
    if follow.runs(d, d["wanted"]["generation"]):
        raise Failure(f"{d['name']} runs already.", f"berth open {d['name']}")
    _wished(platform, d, d["release"]["id"], {}, wait, json)


def _wished(platform: Platform, d: dict[str, Any], release: str, instances: dict[str, int], wait: bool, json: bool) -> None:
    body = {"release": release, "name": d["name"], "instances": instances, "keep": True}
    follow.told(platform, platform.post("/deployments", body), wait, json)


def _release(platform: Platform, d: dict[str, Any], to: str) -> str:
    if ID.fullmatch(to):
        return to
    known = platform.items(f"/apps/{d['app']}/releases", workspace=d["workspace"])
    found = next((r for r in known if r["version"] == to), None)
    if found is None:
        versions = ", ".join(dict.fromkeys(r["version"] for r in known))
        raise Failure(f"{d['app']} has no release {to}.", f"It has: {versions}.", {"status": 404})
    return str(found["id"])


def _before(d: dict[str, Any]) -> str:
    """The release that ran last, of those that are not wanted now."""
    ran = [s["release"] for s in d["steps"] if s["state"] == "RUNNING" and s["release"] not in ("", d["release"]["id"])]
    if not ran:
        raise Failure(f"No other release of {d['name']} has run yet.", f"berth releases {d['app']} lists them; name one.")
    show.say(f"back to {next(s['version'] for s in reversed(d['steps']) if s['release'] == ran[-1])}")
    return str(ran[-1])
