"""The platform itself: nodes and runtimes."""

from __future__ import annotations

from cli import show
from cli.options import At, Json
from cli.session import connect
from contracts.manifest_found import Given


def nodes(at: At = "", json: Json = False) -> None:
    """The machines that hold instances."""
    found = connect(at).items("/nodes")
    if json:
        show.json({"items": found})
        return
    rows = [
        (n["name"], n["address"], "heard" if n["heard"] else "silent", n["cpus"], f"{n['memory'] / (1 << 30):.1f} GiB",
         "stands" if n["firewall"] else n["reason"] or "down", show.moment(n["last"]))
        for n in found
    ]  # fmt: skip
    show.table(("node", "address", "agent", "cores", "memory", "firewall", "last heard (UTC)"), rows, "No nodes were heard yet.")


def runtimes(json: Json = False) -> None:
    """What a service may be written for."""
    names = list(Given().runtimes)
    if json:
        show.json({"items": [{"name": name} for name in names]})
        return
    for name in names:
        show.line(name)
