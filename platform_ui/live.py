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
from platform_ui.asking import address, hidden
from platform_ui.news import News
from platform_ui.overview import Overview
from platform_ui.parts import Parts
from platform_ui.session_live import Visit, browser_route
from platform_ui.site import Site


class Newsroom:
    """One method a page; each gives the parts of that page which changed."""

    def __init__(self, env: Environment) -> None:
        self.parts = Parts(env)

    async def home(self, visit: Visit) -> Response:
        spaces = await visit.live.stored(_spaces, visit)
        return self._looked(visit, lambda: self.parts.home(_overview(visit).home(spaces, visit.person.reads)))

    async def apps(self, visit: Visit) -> Response:
        spaces = await visit.live.stored(_spaces, visit)
        return self._looked(visit, lambda: self.parts.apps(_overview(visit).apps(spaces), len(spaces) > 1))

    async def app(self, visit: Visit) -> Response:
        """The deployments of one app, and its releases' builds."""
        space, app = visit.path["workspace"], visit.path["app"]

        def look() -> dict[str, str]:
            deployments = visit.api.items("deployments", workspace=space, app=app)
            releases = hidden(visit.api.items, "apps", app, "releases", workspace=space, empty=[])
            return self.parts.app(deployments, releases)

        return self._looked(visit, look)

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
        """Each change as the controller knows it, its instances, and the log of the release's build."""
        id = visit.path["deployment"]
        first = await visit.live.stored(visit.api.get, "deployments", id)
        log = self._log(visit, first["release"]["id"])
        return news.stream(visit, news.merged(self._deployment(visit, id), self._instances(visit, id), log))

    async def device(self, visit: Visit) -> Response:
        """Each newer value, and its point for the chart."""
        id = visit.path["device"]
        shown = await visit.live.stored(visit.api.get, "devices", id)
        return news.stream(visit, self._values(visit, shown))

    async def _deployment(self, visit: Visit, id: str) -> AsyncIterator[News | None]:
        before: dict[str, str] = {}
        state = ""
        async for _, d in news.events(visit, address("deployments", id, "events")):
            told = news.changed(before, self.parts.deployment(d))
            now = f"g{d['wanted']['generation']} is {d['wanted']['state']}; {d['serving']['health']} is what serves."
            yield (told or {}) | ({"said": now} if state and state != now else {})
            state = now

    def _instances(self, visit: Visit, id: str) -> AsyncIterator[News | None]:
        return news.looked(visit, lambda: self.parts.instances(hidden(visit.api.get, "rollouts", id)))

    async def _log(self, visit: Visit, release: str) -> AsyncIterator[News | None]:
        after = visit.request.query_params.get("line", "")
        async for name, data in news.events(visit, address("builds", release, "log", "events"), after):
            yield {"lines": [data]} if name == "line" else {"built": data.get("state", "")}

    async def _values(self, visit: Visit, shown: Any) -> AsyncIterator[News | None]:
        kinds = visit.site.kinds
        newest = await visit.live.stored(kinds.said, visit.api, shown["workspace"], shown["latest"])
        latest = {r["sensor"]: r for r in newest}
        before: dict[str, str] = {}
        yield news.changed(before, self.parts.values(shown, latest))
        async for _, reading in news.events(visit, address("devices", shown["id"], "events")):
            (latest[reading["sensor"]],) = await visit.live.stored(kinds.said, visit.api, shown["workspace"], [reading])
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
    if who.workspace:
        return [who.workspace]
    return [w["name"] for w in hidden(visit.api.items, "workspaces", empty=list(who.workspaces))]


def routes(site: Site, env: Environment, live: Live) -> list[BaseRoute]:
    room = Newsroom(env)
    pages = (
        ("/news/home", room.home),
        ("/news/apps", room.apps),
        ("/news/apps/{workspace}/{app}", room.app),
        ("/news/devices", room.devices),
        ("/news/devices/{device}", room.device),
        ("/news/releases/{release}", room.release),
        ("/news/deployments/{deployment}", room.deployment),
    )
    return [
        browser_route("POST", "/upload/zip", sending.send, site, live),
        *(browser_route("GET", pattern, endpoint, site, live) for pattern, endpoint in pages),
    ]
