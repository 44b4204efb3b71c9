"""One deployment: its rollout step by step, what serves meanwhile, and its end."""

from __future__ import annotations

from typing import Any

from flask import Blueprint

from platform_ui.asking import hidden
from platform_ui.rollouts import before
from platform_ui.views.common import after, api, page, person

pages = Blueprint("deployments", __name__)


@pages.get("/deployments/<deployment>")
def one(deployment: str) -> Any:
    shown = api().get("deployments", deployment)
    return page(
        "deployment.html", "apps", d=shown, may=person().may("write", shown["workspace"]), before=before(shown),
        rollout=hidden(api().get, "rollouts", deployment) if person().reads else None, news=f"/news/deployments/{deployment}",
    )  # fmt: skip


@pages.post("/deployments/<deployment>/stop")
def stop(deployment: str) -> Any:
    api().post("deployments", deployment, "stop")
    return after(f"/deployments/{deployment}", "stopped")


@pages.post("/deployments/<deployment>/destroy")
def destroy(deployment: str) -> Any:
    shown = api().get("deployments", deployment)
    api().delete("deployments", deployment)
    return after(f"/apps/{shown['workspace']}/{shown['app']}", "destroyed")
