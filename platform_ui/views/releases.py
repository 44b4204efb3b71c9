"""One release: its build as it goes, its log, and the form that deploys it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, request

from contracts.errors import BerthError, Invalid
from platform_ui.asking import part
from platform_ui.overview import found
from platform_ui.rollouts import unheard
from platform_ui.views.common import Fault, Faults, api, page, person

pages = Blueprint("releases", __name__)


@pages.get("/releases/<release>")
def one(release: str) -> Any:
    return _page(load(release))


def load(release: str) -> dict[str, Any]:
    """The release, its build (empty while the deployer has not heard of it) and its app's deployments."""
    shown = api().get("releases", release)
    build = part(lambda: found(api().get, "builds", release))
    deployments = part(api().items, "deployments", workspace=shown["workspace"], app=shown["app"], empty=[])
    return {
        "release": shown,
        "build": build.value or unheard(shown),
        "deployments": deployments.value,
        "may": person().may("write", shown["workspace"]),
    }


def _page(seen: dict[str, Any], faults: Faults | None = None, form: Any = None) -> Any:
    id = seen["release"]["id"]
    return page("release.html", "apps", **seen, faults=faults, form=form or {}, news=f"/news/releases/{id}")


@pages.post("/releases/<release>/deploy")
def deploy(release: str) -> Any:
    seen = load(release)
    body, faults = wish(release, seen["release"], request.form)
    if not faults:
        try:
            made = api().post("deployments", json=body)
            return redirect(f"/deployments/{made['id']}", 303)
        except Invalid as error:
            faults = [Fault("", p.path, p.rule, p.hint) for p in error.problems] or [Fault("", "", error.detail)]
        except BerthError as error:
            if error.status >= 500:
                raise
            faults = [Fault("", "", error.detail)]
    return _page(seen, Faults("This cannot be deployed so; nothing was changed.", tuple(faults)), request.form), 422


def wish(id: str, release: dict[str, Any], form: Any) -> tuple[dict[str, Any], list[Fault]]:
    """What POST /deployments takes; what is as in the manifest is left out."""
    instances, where, faults = {}, {}, []
    for name, service in release["manifest"]["services"].items():
        written = form.get(f"instances.{name}", "").strip()
        if written and not written.isdigit():
            faults.append(Fault(f"f-instances-{name}", f"Instances of {name}", "This is a whole number."))
        elif written and int(written) != service.get("instances", 1):
            instances[name] = int(written)
    for need in release["needs"]:
        written = form.get(f"where.{need['name']}", "").strip()
        if written and written != need["where"]:
            where[need["name"]] = written
    body: dict[str, Any] = {"release": id, "instances": instances, "where": where}
    if form.get("name", "").strip() not in ("", release["app"]):
        body["name"] = form["name"].strip()
    return body, faults
