"""Apps: the list, or the first steps where there is none; one app in its parts."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, redirect, request

from contracts.errors import NotFound
from platform_ui import again, running, sample
from platform_ui.app_page import AppPage
from platform_ui.asking import Part, part
from platform_ui.rollouts import generations
from platform_ui.tail import tail
from platform_ui.views.common import api, looked_at, overview, page, person, site

pages = Blueprint("apps", __name__)
TABS = {
    "": "Overview", "deployments": "Deployments", "releases": "Releases", "logs": "Logs", "figures": "Figures", "settings": "Settings",
}  # fmt: skip
WITH_FIGURES = ("", "figures")


@pages.get("/apps")
def listed() -> Any:
    apps = overview().apps(looked_at())
    if not person().reads:
        return page("apps-open.html", "apps", apps=apps, news="/news/apps")
    if not apps.value and not apps.away:
        return _first()
    return page("apps.html", "apps", apps=apps, news="/news/apps")


def _first() -> Any:
    """Nothing yet: the first thing to do, ready to be done."""
    usable = part(api().items, "readings", "latest", workspace=person().workspace, empty=[])
    return page("apps-empty.html", "apps", sample=sample.example(), usable=usable.value[:5])


@pages.get("/apps/<workspace>/<app>", defaults={"tab": ""})
@pages.get("/apps/<workspace>/<app>/<tab>")
def one(workspace: str, app: str, tab: str) -> Any:
    if tab not in TABS:
        abort(404)
    seen = load(workspace, app)
    where = f"/apps/{workspace}/{app}"
    if not person().reads:
        return page("app-open.html", "apps", **seen, news=f"/news{where}") if not tab else redirect(where, 303)
    chosen = _chosen(seen["deployments"])
    facts = _figures(chosen) if tab in WITH_FIGURES and chosen else _lines(chosen) if tab == "logs" and chosen else {}
    query = f"?deployment={chosen['id']}" if chosen else ""
    return page(
        f"app-{tab or 'overview'}.html", "apps", **seen, **facts, tab=tab, tabs=TABS, where=where, d=chosen, again=again,
        failed=_failed(seen["deployments"]) if tab in ("", "deployments", "settings") else {}, generations=generations,
        news=f"/news{where}/{tab or 'overview'}{query}",
    )  # fmt: skip


def load(workspace: str, app: str) -> dict[str, Any]:
    """The app with its deployments and releases."""
    found = next((a for a in api().items("apps", workspace=workspace) if a["name"] == app), None)
    if found is None:
        raise NotFound(f"App {app} is not in workspace {workspace}, or not yours to know of.")
    who = person()
    releases = part(api().items, "apps", app, "releases", workspace=workspace, empty=[]) if who.reads else Part([])
    return {
        "app": found, "workspace": workspace, "releases": releases, "deployments": found["deployments"],
        "may": who.may("write", workspace),
    }  # fmt: skip


def _chosen(deployments: list[Any]) -> Any:
    """The one that is looked at: what was asked for, else the one that bears the app's name, else the first."""
    wanted = request.args.get("deployment", "")
    named = [d for d in deployments if d["name"] == wanted] or [d for d in deployments if d["name"] == d["app"]]
    return (named or deployments or [None])[0]


def _figures(d: Any) -> dict[str, Any]:
    span = running.SPANS.get(request.args.get("span", ""), running.SPANS["1h"])
    asked = AppPage(api())
    rows = asked.rows(d["id"])
    charts = asked.charts(rows.value, span, site().backbone.clock.now())
    return {"rows": rows, "charts": charts, "span": span, "spans": list(running.SPANS.values())}


def _lines(d: Any) -> dict[str, Any]:
    """Of all its instances, or of the build of its release; live."""
    of = "build" if request.args.get("of") == "build" else ""
    where = {"kind": "build", "release": d["release"]["id"]} if of else {"kind": "app", "deployment": d["id"]}
    title = f"Lines of the build of {d['release']['version']}" if of else f"Lines of {d['name']}"
    return {"of": of, "log": tail(api(), title, "It has printed no line yet. The next one shows here by itself.", **where)}


def _failed(deployments: list[Any]) -> dict[str, Part]:
    """The lines beside each failure, by the deployment's id."""
    asked = AppPage(api())
    return {d["id"]: asked.beside(d) for d in deployments if d["wanted"]["state"] == "FAILED"}
