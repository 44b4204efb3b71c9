"""Apps: the list, or the first steps where there is none; one app with its deployments and releases."""

from __future__ import annotations

from typing import Any

from flask import Blueprint

from contracts.errors import NotFound
from platform_ui import sample
from platform_ui.asking import part
from platform_ui.views.common import api, looked_at, overview, page, person

pages = Blueprint("apps", __name__)


@pages.get("/apps")
def listed() -> Any:
    apps = overview().apps(looked_at())
    if not apps.value and not apps.away:
        return _first()
    return page("apps.html", "apps", apps=apps, news="/news/apps")


def _first() -> Any:
    """Nothing yet: the first thing to do, ready to be done."""
    usable = part(api().items, "readings", "latest", workspace=person().workspace, empty=[])
    return page("apps-empty.html", "apps", sample=sample.example(), usable=usable.value[:5])


@pages.get("/apps/<workspace>/<app>")
def one(workspace: str, app: str) -> Any:
    seen = load(workspace, app)
    return page("app.html", "apps", **seen, news=f"/news/apps/{workspace}/{app}")


def load(workspace: str, app: str) -> dict[str, Any]:
    """The app with its deployments and releases."""
    found = next((a for a in api().items("apps", workspace=workspace) if a["name"] == app), None)
    if found is None:
        raise NotFound(f"App {app} is not in workspace {workspace}, or not yours to know of.")
    releases = part(api().items, "apps", app, "releases", workspace=workspace, empty=[])
    may = person().may("write", workspace)
    return {"app": found, "workspace": workspace, "releases": releases, "deployments": found["deployments"], "may": may}
