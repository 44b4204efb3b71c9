"""One deployment: its rollout step by step, what serves meanwhile, and what may be wished of it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, request

from contracts.errors import BerthError, Invalid
from platform_ui import again
from platform_ui.app_page import AppPage
from platform_ui.asking import hidden
from platform_ui.rollouts import before
from platform_ui.views.common import Fault, Faults, after, api, page, person

pages = Blueprint("deployments", __name__)
NOT_SO = "This cannot be asked so; nothing was changed."


@pages.get("/deployments/<deployment>")
def one(deployment: str) -> Any:
    shown = api().get("deployments", deployment)
    return _page(shown) if person().reads else redirect(f"/apps/{shown['workspace']}/{shown['app']}", 303)


def _page(shown: dict[str, Any], faults: Faults | None = None) -> Any:
    asked, failed = AppPage(api()), shown["wanted"]["state"] == "FAILED"
    return page(
        "deployment.html", "apps", d=shown, may=person().may("write", shown["workspace"]), before=before(shown), again=again,
        rollout=hidden(api().get, "rollouts", shown["id"]), rows=asked.rows(shown["id"]), faults=faults,
        failed={shown["id"]: asked.beside(shown)} if failed else {}, news=f"/news/deployments/{shown['id']}",
    )  # fmt: skip


@pages.post("/deployments/<deployment>/scale")
def scale(deployment: str) -> Any:
    """As many instances of each service as the form says, with all else as it is: a new generation."""
    shown = api().get("deployments", deployment)
    numbers, wrong = {}, []
    for service in (s["service"] for s in shown["services"]):
        written = request.form.get(f"instances.{service}", "").strip()
        if written.isdigit() and int(written) > 0:
            numbers[service] = int(written)
        elif written:
            wrong.append(Fault("", f"Instances of {service}", "This is a whole number, 1 at least."))
    if wrong:
        return _page(shown, Faults(NOT_SO, tuple(wrong))), 422
    return _wished(shown, shown["release"]["id"], numbers, "scaled")


@pages.post("/deployments/<deployment>/release")
def move(deployment: str) -> Any:
    """To another release, older or newer, or the same once more."""
    shown = api().get("deployments", deployment)
    return _wished(shown, request.form.get("release", ""))


@pages.post("/deployments/<deployment>/start")
def start(deployment: str) -> Any:
    """What was stopped, or failed, as it was asked for last."""
    shown = api().get("deployments", deployment)
    return _wished(shown, shown["release"]["id"], said="started")


@pages.post("/deployments/<deployment>/stop")
def stop(deployment: str) -> Any:
    api().post("deployments", deployment, "stop")
    return after(f"/deployments/{deployment}", "stopped")


@pages.post("/deployments/<deployment>/destroy")
def destroy(deployment: str) -> Any:
    shown = api().get("deployments", deployment)
    api().delete("deployments", deployment)
    return after(f"/apps/{shown['workspace']}/{shown['app']}", "destroyed")


def _wished(shown: dict[str, Any], release: str, instances: dict[str, int] | None = None, said: str = "") -> Any:
    try:
        made = api().post("deployments", json=again.wish(shown, release, instances))
    except Invalid as error:
        faults = tuple(Fault("", p.path, p.rule, p.hint) for p in error.problems) or (Fault("", "", error.detail),)
        return _page(shown, Faults(NOT_SO, faults)), 422
    except BerthError as error:
        if error.status >= 500:
            raise
        return _page(shown, Faults(NOT_SO, (Fault("", "", error.detail),))), error.status
    return after(f"/deployments/{made['id']}", said)
