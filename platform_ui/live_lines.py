"""Lines as they are printed: each as the very row of the page, and the counts over time where a page shows them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from typing import Any

from jinja2 import Environment
from starlette.responses import Response

from platform_ui import logs, news
from platform_ui.asking import address, tried
from platform_ui.news import News
from platform_ui.session_live import Visit

COUNTED = 5.0
FIRST = 100
"""So many a tail begins with: what was printed since the page was made is among them, what is shown already is left out there."""


class LineRoom:
    def __init__(self, env: Environment) -> None:
        self._env = env

    async def lines(self, visit: Visit) -> Response:
        """Goes on after the event `after`, without a gap; begins with the newest where there is none."""
        filters = logs.read(visit.request.query_params)
        source = self._lines(visit, filters)
        counted = visit.request.query_params.get("counts")
        return news.stream(visit, news.merged(source, self._counts(visit, filters)) if counted else source)

    async def _lines(self, visit: Visit, filters: logs.Filters) -> AsyncIterator[News | None]:
        row = self._env.get_template("parts/line.html")
        after = visit.request.query_params.get("after", "")
        more: dict[str, Any] = {} if after else {"last": FIRST}
        async for at, name, data in news.numbered(visit, address("lines", "events", **_where(visit, filters), **more), after):
            if name == "line":
                yield {"rows": [{"id": data["id"], "html": row.render(l=logs.row(data, filters.text))}], "after": at}
            elif name == "dropped":
                yield {"dropped": data.get("count", 0), "after": at}

    async def _counts(self, visit: Visit, filters: logs.Filters) -> AsyncIterator[News | None]:
        sum_of = self._env.get_template("parts/lines-sum.html")
        while not await visit.live.until(COUNTED):
            now = visit.site.backbone.clock.now()
            asked = {**filters.asked(now), **_where(visit, filters)}
            told = (await visit.live.stored(tried, partial(visit.api.get, "lines", "counts", **asked))).value
            if told:
                chart = logs.histogram(told, filters, now)
                yield {"chart": {"id": "lines-counts", **chart}, "parts": {"lines-sum": sum_of.render(sum=logs.total(told))}}


def _where(visit: Visit, filters: logs.Filters) -> dict[str, str]:
    here = "" if filters.where.get("correlation") else visit.person.workspace
    return {"workspace": here, **filters.lasting}
