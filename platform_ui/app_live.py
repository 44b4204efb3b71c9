"""News of an app's pages and of a rollout: what is wanted and serves, instances, each second's figures, lines beside a failure."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

from starlette.responses import Response

from platform_ui import news, running
from platform_ui.app_page import AppPage
from platform_ui.asking import Part, address, hidden
from platform_ui.news import EVERY, News
from platform_ui.parts import Parts
from platform_ui.session_live import Visit


class AppRoom:
    def __init__(self, parts: Parts) -> None:
        self.parts = parts

    async def app(self, visit: Visit) -> Response:
        """The deployments of one app and its releases' builds; of the deployment that is looked at, its instances and figures."""
        id = visit.request.query_params.get("deployment", "")
        sources = [news.looked(visit, self._look(visit))]
        if id and visit.path.get("tab") in ("overview", "figures") and visit.person.reads:
            sources += self.running(visit, await visit.live.stored(visit.api.get, "deployments", id))
        return news.stream(visit, news.merged(*sources))

    async def deployment(self, visit: Visit, log: AsyncIterator[News | None], d: Mapping[str, Any]) -> Response:
        """Each change as the controller knows it, its instances, and the log of the release's build."""
        return news.stream(visit, news.merged(self._changes(visit, d["id"]), self._traffic(visit, d), *self.running(visit, d), log))

    def running(self, visit: Visit, d: Mapping[str, Any]) -> list[AsyncIterator[News | None]]:
        newest: dict[str, Any] = {}
        return [self._instances(visit, d["id"], newest), self._figures(visit, d["id"], newest)]

    def _look(self, visit: Visit) -> Any:
        space, app = visit.path["workspace"], visit.path["app"]
        asked, known = AppPage(visit.api), dict[tuple[str, int], Part]()
        first: list[set[str]] = []

        def look() -> dict[str, str]:
            deployments = visit.api.items("deployments", workspace=space, app=app)
            if not visit.person.reads:
                return self.parts.doors([{"deployments": deployments}])
            releases = hidden(visit.api.items, "apps", app, "releases", workspace=space, empty=[])
            failed = {d["id"]: _beside(asked, known, d) for d in deployments if d["wanted"]["state"] == "FAILED"}
            ids = {d["id"] for d in deployments}
            if not first:
                first.append(ids)
            return self.parts.app(deployments, releases, failed) | (self.parts.shape() if ids != first[0] else {})

        return look

    async def _changes(self, visit: Visit, id: str) -> AsyncIterator[News | None]:
        asked, known = AppPage(visit.api), dict[tuple[str, int], Part]()
        before: dict[str, str] = {}
        state = ""
        async for _, d in news.events(visit, address("deployments", id, "events")):
            failed = {}
            if d["wanted"]["state"] == "FAILED":
                failed[id] = await visit.live.stored(_beside, asked, known, d)
            told = news.changed(before, self.parts.deployment(d) | self.parts.beside(d, failed))
            now = f"g{d['wanted']['generation']} is {d['wanted']['state']}; {d['serving']['health']} is what serves."
            yield (told or {}) | ({"said": now} if state and state != now else {})
            state = now

    def _traffic(self, visit: Visit, d: Mapping[str, Any]) -> AsyncIterator[News | None]:
        return news.looked(visit, lambda: self.parts.traffic(d, hidden(visit.api.get, "rollouts", d["id"])))

    async def _instances(self, visit: Visit, id: str, newest: Mapping[str, Any]) -> AsyncIterator[News | None]:
        """The whole table only where somebody came, went or changed its state; the figures go into their cells."""
        asked, before = AppPage(visit.api), None
        while True:
            rows = await visit.live.stored(asked.rows, id)
            now = (rows.away, running.shape(rows.value))
            if now != before:
                for row in rows.value:
                    row["figure"] = row["figure"] or (newest.get(row["id"]) if not row["ended"] else None)
                yield {"parts": self.parts.running(id, rows)}
            before = now
            if await visit.live.until(EVERY):
                return

    async def _figures(self, visit: Visit, id: str, newest: dict[str, Any]) -> AsyncIterator[News | None]:
        async for name, told in news.events(visit, address("figures", "events", deployment=id)):
            mine = [i for i in told["instances"] if i["deployment"] == id] if name == "figures" else []
            if mine:
                newest |= {i["instance"]: i for i in mine}
                point = running.points(told, id)
                yield {"parts": self.parts.gauges(mine, point["names"]), "figures": point}


def _beside(asked: AppPage, known: dict[tuple[str, int], Part], d: Mapping[str, Any]) -> Part:
    """Asked once a failure: what it printed does not change any more. Where it could not be asked, again."""
    key = (d["id"], d["wanted"]["generation"])
    if key not in known or known[key].away:
        known[key] = asked.beside(d)
    return known[key]
