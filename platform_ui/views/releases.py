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
    name = request.form.get("name", "").strip() or seen["release"]["app"]
    old = next((d for d in seen["deployments"] if d["name"] == name), None)
    body, faults = wish(seen["release"], request.form, old)
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


def wish(release: dict[str, Any], form: Any, old: Any = None) -> tuple[dict[str, Any], list[Fault]]:
    """What POST /deployments takes: only what the form says otherwise than the manifest, or than was chosen for `old`."""
    chosen = old["chosen"] if old else {"instances": {}, "where": {}}
    instances, where, faults = {}, {}, []
    for name, service in release["manifest"]["services"].items():
        written = form.get(f"instances.{name}", "").strip()
        if written and not written.isdigit():
            faults.append(Fault(f"f-instances-{name}", f"Instances of {name}", "This is a whole number."))
        elif written and int(written) != chosen["instances"].get(name, service.get("instances", 1)):
            instances[name] = int(written)
    for need in release["needs"]:
        written = form.get(f"where.{need['name']}", "").strip()
        if written and written != chosen["where"].get(need["name"], need["where"]):
            where[need["name"]] = written
    body: dict[str, Any] = {"release": release["id"], "instances": instances, "where": where, "keep": True}
    if form.get("name", "").strip() not in ("", release["app"]):
        body["name"] = form["name"].strip()
    return body, faults
