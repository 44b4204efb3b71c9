"""The Logger: lines by what the address says, over time and one by one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import Blueprint, Response, redirect, request

from contracts.errors import Forbidden
from platform_ui import logs, tail
from platform_ui.asking import Part, hidden, tried
from platform_ui.views.common import api, is_staff, page, person, site

pages = Blueprint("lines", __name__)
MOST, WHOLE = 200, 5000
STAFFS = ("kind", "app", "service", "node", "instance", "correlation")
MAKERS = ("kind", "app", "service", "instance", "correlation")


@pages.get("/logs")
def listed() -> Any:
    filters = _filters()
    if request.args.get("q") is not None:
        return redirect(logs.searched(replace(filters, text=""), request.args["q"]).href(), 303)
    now, first = site().backbone.clock.now(), request.args.get("next", "")
    asked = _asked(filters)
    order = "oldest" if filters.order == "oldest" else "newest"
    told = tried(api().get, "lines", **asked, order=order, limit=MOST, next=first, empty={"items": [], "next": ""})
    counts = tried(api().get, "lines", "counts", **asked)
    return page(
        "logs.html", "logs", filters=filters, untimed=replace(filters, since="", until="", order="tail"), counts=counts,
        log=_log(filters, told), sum=logs.total(counts.value) if counts.value else None,
        said=logs.said(counts.value) if counts.value else "", levels=logs.LEVELS, ranges=logs.RANGES, names=logs.NAMES,
        chart=logs.histogram(counts.value, filters, now) | {"pick": _pick(filters)} if counts.value else None,
        kinds={k: v for k, v in logs.KINDS.items() if is_staff() or k in ("app", "build")}, known=_known(told.value["items"]),
        adds=[name for name in (STAFFS if is_staff() else MAKERS) if name not in filters.where],
    )  # fmt: skip


@pages.get("/logs.txt")
def taken_along() -> Any:
    """The same lines as text, at most some thousand."""
    filters, following = _filters(), ""
    found: list[Any] = []
    order = "oldest" if filters.order == "oldest" else "newest"
    while len(found) < WHOLE:
        told = api().get("lines", **_asked(filters), order=order, limit=1000, next=following)
        found += told["items"]
        following = told.get("next", "")
        if not following:
            break
    return Response(logs.plain(found), mimetype="text/plain", headers={"Content-Disposition": 'attachment; filename="berth-lines.txt"'})


def _filters() -> logs.Filters:
    if not person().reads:
        raise Forbidden("Lines are for developers, operators and administrators.")
    return logs.read(request.args)


def _asked(filters: logs.Filters) -> dict[str, str]:
    """In the workspace that one looks at, where there is one; an id is followed through all that one may see."""
    here = "" if filters.where.get("correlation") else person().workspace
    return {"workspace": here, **filters.asked(site().backbone.clock.now())}


def _log(filters: logs.Filters, told: Part) -> tail.Log:
    following = told.value.get("next", "")
    made = tail.of(
        told.value["items"], told.away, filters, badge=filters.live, none=_none(filters),
        note="newest below, as they are printed" if filters.live else f"{filters.order} first",
        more=replace(filters, order="newest").href() if filters.live else filters.href(next=following),
        more_text="Earlier lines" if filters.order != "oldest" else "Later lines",
        again=not filters.live and not filters.until and not following,
    )  # fmt: skip
    return made if following else replace(made, more="")


def _none(filters: logs.Filters) -> str:
    said = ", ".join(f"{c.name} {c.value}" for c in filters.chips)
    span = "in this time" if filters.timed else f"in the {logs.RANGES[filters.range]}"
    wait = " The next one shows here by itself." if filters.live else ""
    if not said:
        return f"No line {span}.{wait}"
    return f"No line with {said} {span}. Drop a filter, or look further back.{wait}"


def _known(items: list[Any]) -> dict[str, list[str]]:
    """To choose from: what the lines at hand are of, and the apps."""
    found = {name: {str(line.get(name) or "") for line in items} - {""} for name in STAFFS}
    if here := person().workspace:
        found["app"] |= {a["name"] for a in hidden(api().items, "apps", workspace=here, empty=[])}
    return {name: sorted(some)[:50] for name, some in found.items()} | {"correlation": []}


def _pick(filters: logs.Filters) -> str:
    """Where a time that was chosen in the chart leads; the chart adds `since` and `until`."""
    return replace(filters, since="", until="", order="tail", range="1h").href()
