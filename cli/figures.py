"""What nodes and containers take: now, over the last day, and as it comes."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import urlencode

import typer
from rich.live import Live
from rich.table import Table
from rich.text import Text

from cli import show
from cli.deployments import find
from cli.draw import part, share, size, spark
from cli.failure import Failure
from cli.options import At, Json, Workspace
from cli.session import Platform, connect

Item = dict[str, Any]
HEAD = ("what", "service", "instance", "node", "cpu", "memory", "restarts")
What = Annotated[str, typer.Argument(metavar="NODE|INSTANCE|DEPLOYMENT", help="Only that; also a subsystem or a backing service.")]


class Names:
    """What ids are called, as far as the caller may know."""

    def __init__(self, platform: Platform, workspace: str) -> None:
        self._deployments = {d["id"]: d["name"] for d in platform.items("/deployments", workspace=workspace)}
        self._nodes = {n["node"]: n["name"] for n in _nodes(platform)}

    def what(self, one: Item) -> str:
        return str(self._deployments.get(one["deployment"], one["deployment"]) if one["kind"] == "app" else one["kind"])

    def node(self, id: str) -> str:
        return str(self._nodes.get(id, id))


def figures(
    what: What = "",
    since: Annotated[str, typer.Option("--since", help="A time (RFC 3339), or how long ago: 15m, 24h.")] = "1h",
    watch: Annotated[bool, typer.Option("--watch", help="Go on each second, until Ctrl-C.")] = False,
    at: At = "",
    workspace: Workspace = "",
    json: Json = False,
) -> None:
    """Processor and memory of what you may see; of one thing its last hour or day too."""
    platform = connect(at)
    node, query, chosen = _meant(platform, what, workspace)
    if watch:
        _watch(platform, query, chosen, json)
    elif node:
        _node(platform, node, since, json)
    elif what:
        _histories(platform, chosen, since, json)
    elif json:
        show.json({"items": chosen})
    else:
        names = Names(platform, workspace)
        show.table(HEAD, [_row(one, names) for one in chosen], "Nothing was measured in the last seconds.")


def _meant(platform: Platform, what: str, workspace: str) -> tuple[Item | None, dict[str, str], list[Item]]:
    """(the node, if it is one; the query of its events; the containers it stands for)."""
    if not what:
        return None, {"workspace": workspace}, _newest(platform, workspace=workspace)
    if (node := next((n for n in _nodes(platform) if what in (n["name"], n["node"])), None)) is not None:
        return node, {"node": node["node"]}, _newest(platform, node=node["node"])
    everything = _newest(platform, workspace=workspace)
    alike = [i for i in everything if what == i["service"] and i["kind"] != "app" or i["instance"].startswith(what)]
    if alike:
        return None, {"workspace": workspace}, alike
    try:
        d = find(platform, what, workspace)
    except Failure as failure:
        return None, {}, [_ended(platform, what, failure)]
    return None, {"deployment": d["id"]}, [i for i in everything if i["deployment"] == d["id"]]


def _newest(platform: Platform, **query: str) -> list[Item]:
    order = {"app": 0, "subsystem": 1, "backing": 2}
    return sorted(platform.items("/figures", **query), key=lambda i: (order[i["kind"]], i["deployment"], i["service"], i["instance"]))


def _nodes(platform: Platform) -> list[Item]:
    """None for those who may not see them."""
    try:
        return platform.items("/nodes")
    except Failure as failure:
        if failure.status != 403:
            raise
        return []


def _ended(platform: Platform, what: str, failure: Failure) -> Item:
    """What does not run any more is known by its whole id alone."""
    try:
        platform.get(f"/instances/{what}/figures", since="10s")
    except Failure:
        hint = "`berth figures` lists what runs, `berth nodes` machines."
        raise Failure(f"No node, instance or deployment {what}.", hint, failure.problem) from None
    return {"instance": what, "kind": "", "service": "", "deployment": "", "node": "", "cpu": None, "memory": None, "memory_limit": None}


def _node(platform: Platform, node: Item, since: str, json: bool) -> None:
    found = platform.get(f"/nodes/{node['node']}/figures", since=since)
    if json:
        show.json(found)
        return
    seen, items = node["figures"] or {}, found["items"]
    rows = [
        ("cpu", share(seen.get("cpu")), _line(items, "cpu", 100)),
        ("memory", part(seen.get("memory_used"), seen.get("memory_total")), _line(items, "memory", seen.get("memory_total") or 0)),
        ("load", seen.get("load"), _line(items, "load", node["cpus"])),
        ("disk", part(seen.get("disk_used"), seen.get("disk_total")), _line(items, "disk", seen.get("disk_total") or 0)),
        ("received", _rate(seen.get("received")), _line(items, "received")),
        ("sent", _rate(seen.get("sent")), _line(items, "sent")),
    ]
    show.table((node["name"], "now", _span(items)), rows, "")


def _histories(platform: Platform, chosen: list[Item], since: str, json: bool) -> None:
    """Each container with its bars."""
    told = [(one, platform.get(f"/instances/{one['instance']}/figures", since=since)) for one in chosen]
    if json:
        show.json({"items": [{**one, **history, "now": one, "items": history["items"]} for one, history in told]})
        return
    rows = [
        (one["service"], one["instance"], share(one["cpu"]), part(one["memory"], one["memory_limit"]), history["restarts"],
         _line(history["items"], "cpu"), _line(history["items"], "memory", one["memory_limit"] or 0))
        for one, history in told
    ]  # fmt: skip
    span = _span(max((history["items"] for _, history in told), key=len, default=[]))
    columns = ("service", "instance", "cpu", "memory", "restarts", f"cpu {span}", f"memory {span}")
    show.table(columns, rows, "Nothing of it runs.")


def _watch(platform: Platform, query: dict[str, str], chosen: list[Item], json: bool) -> None:
    """The table anew each second where somebody looks, else a line for each container and second."""
    path = "/figures/events?" + urlencode({name: value for name, value in query.items() if value})
    only = {i["instance"] for i in chosen} if not query.get("node") and not query.get("deployment") else None
    seconds = (_only(event.data, only) for event in platform.events(path))
    if json:
        for second in seconds:
            show.json_line(second)
    elif not sys.stdout.isatty():
        for second in seconds:
            for one in second["instances"]:
                show.line("  ".join((show.moment(second["time"]), one["service"], one["instance"], share(one["cpu"]), _memory(one))))
    else:
        _drawn(seconds, Names(platform, ""))


def _drawn(seconds: Iterator[Item], names: Names) -> None:
    """As `top` does: who takes most stands first, and what does not fit the screen is what takes least."""
    by_node: dict[str, Item] = {}
    with Live(auto_refresh=False, console=show.console(), screen=True) as live:
        for second in seconds:
            by_node[second["node"]] = second
            made = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
            for column in ("what", "service", "cpu", "memory"):
                made.add_column(column, no_wrap=True)
            for node, known in sorted(by_node.items()):
                if whole := known["of_node"]:
                    cells = ("node", names.node(node), share(whole["cpu"]), part(whole["memory_used"], whole["memory_total"]))
                    made.add_row(*(Text(show.plain(cell), "bold") for cell in cells))
            running = [one for known in by_node.values() for one in known["instances"]]
            for one in sorted(running, key=lambda one: (-one["cpu"], one["instance"])):
                made.add_row(*(Text(show.plain(cell)) for cell in (names.what(one), one["service"], share(one["cpu"]), _memory(one))))
            live.update(made, refresh=True)


def _only(second: Item, only: set[str] | None) -> Item:
    """Of what was named alone; who comes later belongs to what was not narrowed."""
    if not only:
        return second
    return {**second, "instances": [i for i in second["instances"] if i["instance"] in only]}


def _row(one: Item, names: Names) -> tuple[object, ...]:
    return (names.what(one), one["service"], one["instance"], names.node(one["node"]), share(one["cpu"]), _memory(one), one["restarts"])


def _memory(one: Item) -> str:
    return part(one["memory"], one["memory_limit"])


def _rate(value: float | None) -> str:
    return "" if value is None else f"{size(value)}/s"


def _line(items: list[Item], name: str, top: float = 0.0) -> str:
    return spark([(datetime.fromisoformat(i["time"]).timestamp(), i[name]) for i in items], top=top)


def _span(items: list[Item]) -> str:
    return f"{items[0]['time'][11:16]} to {items[-1]['time'][11:16]} UTC" if items else ""
