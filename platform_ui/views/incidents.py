"""Incidents: open ones first; one with its timeline and the lines of its time."""

from __future__ import annotations

from typing import Any

from flask import Blueprint

from platform_ui import logs, staff, tail
from platform_ui.asking import tried
from platform_ui.model import moment
from platform_ui.views.common import after, api, page, platform

pages = Blueprint("incidents", __name__)
MOST = 100


@pages.get("/incidents")
def listed() -> Any:
    seen = platform()
    return page("incidents.html", "incidents", incidents=seen.incidents(), at=seen.now, news="/news/incidents")


@pages.get("/incidents/<incident>")
def one(incident: str) -> Any:
    seen = platform()
    shown = seen.incident(incident)
    before = [i for i in seen.incidents().value if _same(i, shown) and moment(i["opened"]) < moment(shown["opened"])]
    filters = logs.read(staff.lines_of(shown, seen.now))
    told = tried(api().get, "lines", **filters.asked(seen.now), order="oldest", limit=MOST, empty={"items": []})
    log = tail.of(
        told.value["items"], told.away, filters, title="Its lines", more=filters.href(), more_text="All of them in Logs",
        none="No line of this part in that time.", note="from 10 s before to 10 s after",
    )  # fmt: skip
    everything = logs.read(staff.lines_of(shown, seen.now, whole=True)).href()
    return page(
        "incident.html", "incidents", i=shown, at=seen.now, before=before[:5], log=log, everything=everything,
        news=f"/news/incidents/{incident}",
    )  # fmt: skip


@pages.post("/incidents/<incident>/acknowledge")
def acknowledge(incident: str) -> Any:
    platform()
    api().post("incidents", incident, "acknowledge")
    return after(f"/incidents/{incident}", "acknowledged")


def _same(one: Any, other: Any) -> bool:
    return (one["kind"], one["subsystem"], one["role"]) == (other["kind"], other["subsystem"], other["role"])
