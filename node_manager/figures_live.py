"""Figures as they come: an event stream that gives each reader what it may see, once a second."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any

from starlette.responses import Response

from backbone.backbone import Backbone
from backbone.clock import text_of
from backbone.live import Call, Live, live_route
from backbone.live_events import Event, events
from contracts.figures import Figures
from node_manager.api_figures import visible
from node_manager.newest import Newest

EVERY = 5.0
"""Seconds after which it is looked again also where no news came."""


class FiguresLive:
    def __init__(self, backbone: Backbone, newest: Newest) -> None:
        self._backbone, self._newest = backbone, newest

    def routes(self, live: Live) -> Sequence[Any]:
        return [live_route("GET", "/api/v1/figures/events", self.events, self._backbone, live)]

    async def events(self, call: Call) -> Response:
        """Every second of each node as an event `figures`: {node, time, of_node, instances}, of which you get what you may see.

        `?node=` and `?deployment=` narrow it. `of_node`, the node as a whole, is for staff, null for others. It begins with
        what is known now; what was missed while cut off is in the histories.
        """
        return events(call, self._seconds(call))

    async def _seconds(self, call: Call) -> AsyncIterator[Event]:
        given: dict[str, datetime] = {}
        while True:
            for figures in self._newest.all():
                if given.get(figures.node) == figures.time:
                    continue
                given[figures.node] = figures.time
                if (shown := _shown(call, figures)) is not None:
                    yield Event(shown, name="figures")
            if await call.live.until(EVERY):
                return


def _shown(call: Call, figures: Figures) -> dict[str, Any] | None:
    """None: nothing of it is the caller's to see, or asked for."""
    node, deployment, workspace = (call.query.get(name, "") for name in ("node", "deployment", "workspace"))
    if node not in ("", figures.node):
        return None
    staff = call.claims.readable is None
    instances = [
        one.model_dump()
        for one in figures.instances
        if visible(call.claims, one) and deployment in ("", one.deployment) and workspace in ("", one.workspace)
    ]
    if not instances and (deployment or workspace or not staff):
        return None
    of_node = figures.of_node.model_dump() if staff else None
    return {"node": figures.node, "time": text_of(figures.time), "of_node": of_node, "instances": instances}
