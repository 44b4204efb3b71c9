"""The lines of a page, ready for `lines.html`: what is there already, and the address of what comes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from platform_ui import logs
from platform_ui.asking import Api, tried
from platform_ui.icons import Markup

FIRST = 200


@dataclass(frozen=True)
class Log:
    """`tail` is the address of the news, "" where it is not live; `more` goes on.

    `badge`: the top bar says for it whether it is live. `none` is what stands where there is no line. `again`: what was printed a
    moment ago may be among what is found a moment later, so the page looks once more by itself.
    """

    rows: list[dict[str, Any]] = field(default_factory=list)
    away: str = ""
    tail: str = ""
    title: str = "Lines"
    note: str = ""
    none: str = "No line yet."
    badge: bool = False
    more: str = ""
    more_text: str = "Earlier lines"
    actions: Markup = Markup("")
    again: bool = False


def tail(api: Api, title: str = "Lines", none: str = "No line yet.", most: int = FIRST, **where: str) -> Log:
    """The newest lines of an app, a deployment or an instance, and those to come: `tail(api, deployment=id)`."""
    filters = logs.Filters(where={k: v for k, v in where.items() if v})
    told = tried(api.get, "lines", **filters.lasting, order="newest", limit=most, empty={"items": []})
    return of(told.value["items"], told.away, filters, title=title, none=none, more=filters.href(), more_text="All in Logs")


def of(items: list[Any], away: str, filters: logs.Filters, **more: Any) -> Log:
    """`items` newest first for a tail, which shows them as they came."""
    shown = [logs.row(line, filters.text) for line in (reversed(items) if filters.live else items)]
    address = filters.href("/news/lines", order="") if filters.live else ""
    return Log(rows=shown, away=away, tail=address, **more)
