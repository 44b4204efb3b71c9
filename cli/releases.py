"""Apps, their releases and the logs of their builds."""

from __future__ import annotations

import re
from typing import Annotated, Any

import typer

from cli import show
from cli.failure import Failure
from cli.options import At, Json, Workspace
from cli.session import Platform, connect

ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def apps(at: At = "", workspace: Workspace = "", json: Json = False) -> None:
    """The apps that were uploaded."""
    found = connect(at).items("/apps", workspace=workspace)
    if json:
        show.json({"items": found})
        return
    rows = [
        (a["workspace"], a["name"], a["newest"] and a["newest"]["version"], a["newest"] and a["newest"]["state"], a["releases"],
         ", ".join(d["name"] for d in a["deployments"]))
        for a in found
    ]  # fmt: skip
    show.table(("workspace", "app", "newest", "build", "releases", "deployments"), rows, "No apps yet: berth push uploads one.")


def releases(app: str, at: At = "", workspace: Workspace = "", json: Json = False) -> None:
    """An app's releases, the newest first."""
    found = connect(at).items(f"/apps/{app}/releases", workspace=workspace)
    if json:
        show.json({"items": found})
        return
    rows = [(r["version"], r["state"], r["id"], show.moment(r["created"]), r["created_by"], r["digest"][:12], r["reason"]) for r in found]
    show.table(("version", "build", "release", "created (UTC)", "by", "digest", "reason"), rows, "No releases.")


def log(
    release: Annotated[str, typer.Argument(help="A release's id, or an app's name for its newest release.")],
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Print lines as they come, until the build ends.")] = False,
    at: At = "",
    workspace: Workspace = "",
    json: Json = False,
) -> None:
    """What a release's build printed; with --follow the exit code tells how it ended."""
    platform = connect(at)
    id = find(platform, release, workspace)["id"]
    if follow:
        raise typer.Exit(0 if _followed(platform, id, json) == "BUILT" else 1)
    text = platform.text(f"/builds/{id}/log")
    if json:
        show.json({"release": id, "lines": text.splitlines()})
        return
    for one in text.splitlines():
        show.line(one)


def find(platform: Platform, named: str, workspace: str = "") -> dict[str, Any]:
    """By id, or the newest of an app."""
    if ID.fullmatch(named):
        found: dict[str, Any] = platform.get(f"/releases/{named}")
        return found
    try:
        return platform.items(f"/apps/{named}/releases", workspace=workspace)[0]
    except Failure as failure:
        if failure.status == 404:
            failure.hint = "`berth apps` lists what there is; --workspace chooses another workspace."
        raise


def last_lines(platform: Platform, release: str, most: int = 15) -> list[str]:
    """Nothing where the build has no log, for then its reason says all."""
    try:
        return platform.text(f"/builds/{release}/log").splitlines()[-most:]
    except Failure:
        return []


def _followed(platform: Platform, id: str, json: bool) -> str:
    for event in platform.events(f"/builds/{id}/log/events"):
        if event.name == "end":
            if json:
                show.json_line(event.data)
            else:
                show.say(f"{event.data['state']} {event.data.get('reason', '')}".strip(), show.COLOURS.get(event.data["state"], ""))
            return str(event.data["state"])
        if json:
            show.json_line(event.data)
        else:
            show.line(f"{event.data['time'][11:23]} {event.data['text']}")
    return ""
