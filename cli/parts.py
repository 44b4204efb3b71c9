"""The platform itself: subsystems, nodes and runtimes."""

from __future__ import annotations

from cli import show
from cli.options import At, Json
from cli.session import connect
from contracts.manifest_found import Given


def subsystems(at: At = "", json: Json = False) -> None:
    """The platform's own parts, and whether they are ready."""
    found = connect(at).items("/subsystems")
    if json:
        show.json({"items": found})
        return
    rows = [
        (f"{s['subsystem']} {s['role']}".strip(), r["state"], r["replica"], r["node"], show.moment(r["last"]), "; ".join(r["reasons"]))
        for s in found
        for r in s["replicas"]
    ]
    show.table(("subsystem", "state", "replica", "node", "last heard (UTC)", "reasons"), rows, "No subsystem was heard yet.")


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
