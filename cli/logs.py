"""Log lines of apps, builds and the platform's own parts: found again, or followed as they come."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlencode

import typer
from rich.text import Text

from cli import deployments, releases, show
from cli.failure import Failure
from cli.options import At, Json, Workspace
from cli.session import Platform, connect

PAGE = 1000
COLOURS = {"debug": "dim", "warning": "yellow", "error": "red", "critical": "bold red"}

Which = Annotated[str, typer.Argument(metavar="DEPLOYMENT", help="Only lines of this one, by name or id.")]
Subsystem = Annotated[str, typer.Option("--subsystem", help="Only lines of a part of the platform: deployer, sensor_manager.intake.")]
Release = Annotated[str, typer.Option("--release", help="Only lines of this release, its build included: an id, or an app's name.")]
Kind = Annotated[str, typer.Option("--kind", help="app, build, subsystem or backing.")]
Service = Annotated[str, typer.Option("--service", help="Only lines of this service of the app.")]
Instance = Annotated[str, typer.Option("--instance", help="Only lines of this instance or replica.")]
Level = Annotated[str, typer.Option("--level", help="This and worse: debug, info, warning, error, critical.")]
Contains = Annotated[str, typer.Option("--text", help="Only lines that contain this; small letters and capitals are alike.")]
Correlation = Annotated[str, typer.Option("--correlation", help="Only lines of one action, through all parts.")]
Since = Annotated[str, typer.Option("--since", help="How long ago (10m, 6h, 2d), or a moment by RFC 3339.")]
Until = Annotated[str, typer.Option("--until", help="As --since.")]
Limit = Annotated[int, typer.Option("--limit", "-n", min=1, help="How many of the newest lines; with --follow those to begin with.")]
Follow = Annotated[bool, typer.Option("--follow", "-f", help="Go on with what comes, until Ctrl-C.")]


def logs(
    which: Which = "", follow: Follow = False, since: Since = "", until: Until = "", level: Level = "", text: Contains = "",
    correlation: Correlation = "", limit: Limit = 200, subsystem: Subsystem = "", release: Release = "", kind: Kind = "",
    service: Service = "", instance: Instance = "", at: At = "", workspace: Workspace = "", json: Json = False,
) -> None:  # fmt: skip
    """What apps, builds and the platform's parts printed, the newest last."""
    if subsystem and (which or service or kind not in ("", "subsystem")):
        raise Failure("--subsystem asks for lines of the platform, the rest for an app's.", "Leave one of them out.", code=2)
    platform = connect(at)
    asked = {
        "deployment": deployments.find(platform, which, workspace)["id"] if which else "",
        "release": releases.find(platform, release, workspace)["id"] if release else "",
        "kind": "subsystem" if subsystem else kind, "service": subsystem or service, "instance": instance, "level": level,
        "text": text, "correlation": correlation, "since": since, "until": until, "workspace": "" if which or release else workspace,
    }  # fmt: skip
    query = {name: value for name, value in asked.items() if value}
    if follow:
        _follow(platform, query, limit, json)
        return
    found = _newest(platform, query, limit)
    if json:
        show.json({"items": found})
        return
    for line in reversed(found):
        _print(line)
    if not found:
        show.say("No lines." + (" --since and --level may be too narrow." if since or level else ""))


def _newest(platform: Platform, query: dict[str, str], limit: int) -> list[dict[str, Any]]:
    page = platform.get("/lines", **query, limit=min(limit, PAGE))
    found: list[dict[str, Any]] = page["items"]
    while page["next"] and len(found) < limit:
        page = platform.get("/lines", **query, limit=min(limit - len(found), PAGE), next=page["next"])
        found += page["items"]
    return found


def _follow(platform: Platform, query: dict[str, str], last: int, json: bool) -> None:
    for event in platform.events(f"/lines/events?{urlencode({**query, 'last': min(last, PAGE)})}"):
        if event.name == "dropped":
            show.say(f"{event.data['count']} lines were left out: they came faster than they could be shown, or while this was away.")
        elif json:
            show.json_line(event.data)
        else:
            _print(event.data)


def _print(line: dict[str, Any]) -> None:
    """To the millisecond, in UTC; of what others wrote nothing steers the terminal."""
    who = line["service"] or line["kind"]
    if line["kind"] == "app" and line["instance"]:
        who += f"/{line['instance'][:8]}"
    shown = f"{line['time'][5:10]} {line['time'][11:23]}  {line['level']:<8} {who:<22} {line['text']}"
    if style := COLOURS.get(line["level"]):
        show.console().print(Text(show.plain(shown), style), soft_wrap=True)
    else:
        show.line(shown)
