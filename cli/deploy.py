"""Deploy: what was uploaded, or is uploaded now, is wanted running and followed until it does."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from cli import follow
from cli.options import At, Json, Wait, Workspace, counts, pairs
from cli.push import sent
from cli.releases import find
from cli.session import Platform, connect

Target = Annotated[
    str, typer.Argument(metavar="APP|RELEASE|DIR|ZIP", help="A folder or zip is uploaded first; an app means its newest release.")
]
Many = list[str] | None


def deploy(
    target: Target = ".",
    name: Annotated[str, typer.Option("--name", help="The deployment's name; the app's where it is not said.")] = "",
    instances: Annotated[Many, typer.Option("--instances", metavar="SERVICE=N", help="How many of a service.")] = None,
    where: Annotated[Many, typer.Option("--where", metavar="NEED=PATTERN", help="The places of a need's sensors.")] = None,
    env: Annotated[Many, typer.Option("--env", metavar="KEY=VALUE", help="A variable for every service.")] = None,
    reset: Annotated[bool, typer.Option("--reset", help="As the manifest says: what was chosen for it before does not stay.")] = False,
    wait: Wait = True,
    at: At = "",
    workspace: Workspace = "",
    json: Json = False,
) -> None:
    """Run an app and print its link; the exit code tells whether it runs. What was chosen for it before stays."""
    body: dict[str, Any] = {
        "instances": counts(instances),
        "where": pairs(where, "--where", "temperature='hq/**'"),
        "environment": pairs(env, "--env", "TARGET=21"),
        "keep": not reset,
    } | ({"name": name} if name else {})
    platform = connect(at)
    release = _release(platform, target, workspace, json)
    follow.told(platform, platform.post("/deployments", body | {"release": release["id"]}), wait, json)


def _release(platform: Platform, target: str, workspace: str, quiet: bool) -> dict[str, Any]:
    """A path is meant where there is one with an app in it, or where it looks like one."""
    path = Path(target)
    if path.is_file() or (path / "berth.yml").is_file() or "/" in target or target == "." or target.endswith(".zip"):
        return sent(platform, path, workspace, quiet)
    return find(platform, target, workspace)
