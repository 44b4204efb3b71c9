"""What stays open: an upload on its way, and each page's news."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any

from jinja2 import Environment
from starlette.responses import Response
from starlette.routing import BaseRoute

from backbone.live import Live
from platform_ui import news, sending
from platform_ui.app_live import AppRoom
from platform_ui.asking import address, hidden
from platform_ui.news import News
from platform_ui.overview import Overview
from platform_ui.parts import Parts
from platform_ui.session_live import Visit, browser_route
from platform_ui.site import Site

QUIETER = 5.0
"""Seconds after which it is looked again who has gone quiet."""


class Newsroom:
    """One method a page; each gives the parts of that page which changed."""

    def __init__(self, env: Environment) -> None:
        self.parts = Parts(env)
        self.rooms = AppRoom(self.parts)

    async def home(self, visit: Visit) -> Response:
        spaces = await visit.live.stored(_spaces, visit)
        if not visit.person.reads:
            return self._doors(visit, spaces)

        def look() -> dict[str, str]:
            platform = visit.site.platform(visit.person) if _staff(visit) else None
            return self.parts.home(_overview(visit).home(spaces, platform, visit.site.backbone.clock.now()))

        return self._looked(visit, look)

    def _doors(self, visit: Visit, spaces: list[str]) -> Response:
        return self._looked(visit, lambda: self.parts.doors(_overview(visit).apps(spaces).value))

    async def apps(self, visit: Visit) -> Response:
        spaces = await visit.live.stored(_spaces, visit)
        if not visit.person.reads:
            return self._doors(visit, spaces)
        return self._looked(visit, lambda: self.parts.apps(_overview(visit).apps(spaces), len(spaces) > 1))

    async def devices(self, visit: Visit) -> Response:
        spaces = await visit.live.stored(_spaces, visit)
        return self._looked(visit, lambda: self.parts.devices(_overview(visit).devices(spaces)))

    async def release(self, visit: Visit) -> Response:
        """Its build's steps, and each line of the log as it is printed."""
        id = visit.path["release"]
        await visit.live.stored(visit.api.get, "releases", id)

        def look() -> dict[str, str]:
            return self.parts.build(visit.api.get("releases", id), hidden(visit.api.get, "builds", id))

        return news.stream(visit, news.merged(news.looked(visit, look, 0.5), self._log(visit, id)))

    async def deployment(self, visit: Visit) -> Response:
        d = await visit.live.stored(visit.api.get, "deployments", visit.path["deployment"])
        return await self.rooms.deployment(visit, self._log(visit, d["release"]["id"]), d)

    async def device(self, visit: Visit) -> Response:
        """Each newer value, and its point for the chart."""
        id = visit.path["device"]
        shown = await visit.live.stored(visit.api.get, "devices", id)
        newest = await visit.live.stored(visit.site.kinds.said, visit.api, shown["workspace"], shown["latest"])
        latest: dict[str, Any] = {r["sensor"]: r for r in newest}
        quiet = news.looked(visit, lambda: self.parts.values(shown, latest), QUIETER)
        return news.stream(visit, news.merged(quiet, self._values(visit, shown, latest)))

    async def _log(self, visit: Visit, release: str) -> AsyncIterator[News | None]:
        after = visit.request.query_params.get("line", "")
        async for name, data in news.events(visit, address("builds", release, "log", "events"), after):
            yield {"lines": [data]} if name == "line" else {"built": data.get("state", "")}

    async def _values(self, visit: Visit, shown: Any, latest: dict[str, Any]) -> AsyncIterator[News | None]:
        before = dict(self.parts.values(shown, latest))
        async for _, reading in news.events(visit, address("devices", shown["id"], "events")):
            (said,) = await visit.live.stored(visit.site.kinds.said, visit.api, shown["workspace"], [reading])
            latest[reading["sensor"]] = said
            yield (news.changed(before, self.parts.values(shown, latest)) or {}) | {"points": [_point(reading)]}

    def _looked(self, visit: Visit, look: Callable[[], dict[str, str]]) -> Response:
        return news.stream(visit, news.looked(visit, look))


def _overview(visit: Visit) -> Overview:
    return Overview(visit.api, visit.site.kinds, bool({"developer", "admin"} & set(visit.person.roles)))


def _point(reading: Any) -> Any:
    value = reading["value"]
    number = float(value) if isinstance(value, (bool, int, float)) else None
    return {"sensor": reading["sensor"], "t": datetime.fromisoformat(reading["time"]).astimezone(UTC).timestamp(), "v": number}


def _spaces(visit: Visit) -> list[str]:
    who = visit.person
    if who.workspace and who.reads:
        return [who.workspace]
    if not _staff(visit):
        return [w["name"] for w in who.workspaces]
    return [w["name"] for w in hidden(visit.api.items, "workspaces", empty=list(who.workspaces))]


def _staff(visit: Visit) -> bool:
    return not {"admin", "operator"}.isdisjoint(visit.person.roles)


def routes(site: Site, env: Environment, live: Live) -> list[BaseRoute]:
    room = Newsroom(env)
    pages = (
        ("/news/home", room.home),
        ("/news/apps", room.apps),
        ("/news/apps/{workspace}/{app}", room.rooms.app),
        ("/news/apps/{workspace}/{app}/{tab}", room.rooms.app),
        ("/news/devices", room.devices),
        ("/news/devices/{device}", room.device),
        ("/news/releases/{release}", room.release),
        ("/news/deployments/{deployment}", room.deployment),
    )
    return [
        browser_route("POST", "/upload/zip", sending.send, site, live),
        *(browser_route("GET", pattern, endpoint, site, live) for pattern, endpoint in pages),
    ]
