"""Nodes: what each has left; one with its figures of the last hour or day and what runs on it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, request

from platform_ui import nodes_shown
from platform_ui.views.common import page, platform

pages = Blueprint("nodes", __name__)


@pages.get("/nodes")
def listed() -> Any:
    seen = platform()
    nodes = seen.nodes()
    sparks = {n["id"]: nodes_shown.spark(seen.history(n["id"], nodes_shown.SPARK).value) for n in nodes.value}
    only = nodes.value[0] if len(nodes.value) == 1 else None
    running = seen.on_node(only["id"]) if only else None
    return page("nodes.html", "nodes", nodes=nodes, sparks=sparks, n=only, running=running, news="/news/nodes")


@pages.get("/nodes/<node>")
def one(node: str) -> Any:
    seen = platform()
    shown = seen.node(node)
    span = nodes_shown.SPANS.get(request.args.get("span", ""), nodes_shown.SPANS["1h"])
    told = seen.history(shown["id"], span)
    return page(
        "node.html", "nodes", n=shown, span=span, spans=list(nodes_shown.SPANS.values()), history=told,
        charts=nodes_shown.charts(shown, told.value, span, seen.now), running=seen.on_node(shown["id"]),
        news=f"/news/nodes/{shown['id']}",
    )  # fmt: skip
