"""News of the pages of staff, and the lines of everybody's pages."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from jinja2 import Environment
from starlette.responses import Response
from starlette.routing import BaseRoute

from backbone.live import Live
from contracts.errors import Forbidden
from platform_ui import news, nodes_shown, staff
from platform_ui.asking import address
from platform_ui.live_lines import LineRoom
from platform_ui.news import News
from platform_ui.parts_staff import StaffParts
from platform_ui.platform_seen import PlatformSeen
from platform_ui.session_live import Endpoint, Visit, browser_route
from platform_ui.site import Site

SLOW = 3.0
"""Seconds between two looks at what seldom changes."""
SPARKED = 30


class StaffRoom:
    """One method a page, as in the newsroom of everybody."""

    def __init__(self, env: Environment) -> None:
        self.parts = StaffParts(env)

    async def subsystems(self, visit: Visit) -> Response:
        """Cell by cell; the whole table only where a replica came or went."""
        known: list[Any] = [None]
        sparks: dict[str, Any] = {}
        looked = [0]

        def look() -> dict[str, str]:
            platform = _seen(visit)
            seen = platform.subsystems()
            shape = staff.shape(seen["rows"])
            if shape != known[0] or looked[0] % SPARKED == 0:
                sparks.update(platform.sparks(seen["rows"]))
            looked[0] += 1
            told = self.parts.subsystems(seen, sparks, whole=shape != known[0])
            known[0] = shape
            return told

        return self._looked(visit, look)

    async def incidents(self, visit: Visit) -> Response:
        return self._looked(visit, lambda: self.parts.incidents(_seen(visit).incidents()))

    async def incident(self, visit: Visit) -> Response:
        id = visit.path["incident"]
        await visit.live.stored(visit.api.get, "incidents", id)
        return news.stream(visit, self._incident(visit, id))

    async def _incident(self, visit: Visit, id: str) -> AsyncIterator[News | None]:
        """A step is said as well; a closed one is looked at seldom."""
        before: dict[str, str] = {}
        steps = 0
        while True:
            shown = await visit.live.stored(visit.api.get, "incidents", id)
            told = news.changed(before, self.parts.incident(shown)) or {}
            count = len(shown["timeline"])
            if steps and count > steps:
                told["said"] = shown["timeline"][-1]["text"]
            steps = count
            yield told or None
            if await visit.live.until(0.5 if not shown["closed"] else SLOW):
                return

    async def nodes(self, visit: Visit) -> Response:
        """Where there is one only, what runs there as well, its figures cell by cell."""
        sparks: dict[str, Any] = {}
        looked, shapes = [0], [None]

        def look() -> dict[str, str]:
            seen = _seen(visit)
            nodes = seen.nodes()
            if looked[0] % SPARKED == 0:
                sparks.update({n["id"]: nodes_shown.spark(seen.history(n["id"], nodes_shown.SPARK).value) for n in nodes.value})
            looked[0] += 1
            told = self.parts.nodes(nodes, sparks)
            return told | (self._running(seen, nodes.value[0], shapes) if len(nodes.value) == 1 else {})

        return self._looked(visit, look)

    def _running(self, seen: PlatformSeen, node: Mapping[str, Any], before: list[Any]) -> dict[str, str]:
        running = seen.on_node(node["id"])
        shape = nodes_shown.shape(running.value)
        told = self.parts.rows(node, running) if shape != before[0] else {}
        before[0] = shape
        return told | self.parts.cells([r["figure"] for r in running.value if r["figure"]])

    async def node(self, visit: Visit) -> Response:
        """Each second's figures, and what came, went or changed there."""
        shown = await visit.live.stored(_seen(visit).node, visit.path["node"])
        id, shapes = shown["id"], [None]

        def look() -> dict[str, str]:
            seen = _seen(visit)
            n = seen.node(id)
            return self.parts.node(n) | self._running(seen, n, shapes)

        return news.stream(visit, news.merged(news.looked(visit, look, SLOW), self._figures(visit, shown)))

    async def _figures(self, visit: Visit, shown: Mapping[str, Any]) -> AsyncIterator[News | None]:
        async for name, told in news.events(visit, address("figures", "events", node=shown["id"])):
            if name == "figures" and told.get("of_node"):
                parts = self.parts.figures(nodes_shown.with_figures(shown, told), told["instances"])
                yield {"parts": parts, "figures": nodes_shown.point(told)}

    def _looked(self, visit: Visit, look: Callable[[], dict[str, str]]) -> Response:
        return news.stream(visit, news.looked(visit, look))


def _seen(visit: Visit) -> PlatformSeen:
    return visit.site.platform(visit.person)


def of_staff(endpoint: Endpoint) -> Endpoint:
    async def only(visit: Visit) -> Response:
        if {"admin", "operator"}.isdisjoint(visit.person.roles):
            raise Forbidden("The platform’s own parts are for operators and administrators.")
        return await endpoint(visit)

    only.__name__ = endpoint.__name__
    return only


def staff_routes(site: Site, env: Environment, live: Live) -> list[BaseRoute]:
    room, lines = StaffRoom(env), LineRoom(env)
    pages = (
        ("/news/lines", lines.lines),
        ("/news/subsystems", of_staff(room.subsystems)),
        ("/news/incidents", of_staff(room.incidents)),
        ("/news/incidents/{incident}", of_staff(room.incident)),
        ("/news/nodes", of_staff(room.nodes)),
        ("/news/nodes/{node}", of_staff(room.node)),
    )
    return [browser_route("GET", pattern, endpoint, site, live) for pattern, endpoint in pages]
