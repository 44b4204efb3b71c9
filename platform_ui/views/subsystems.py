"""The platform's own parts and what they stand on: health, beats, figures; a restart that is asked for by name."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect

from platform_ui.views.common import api, page, platform

pages = Blueprint("subsystems", __name__)


@pages.get("/subsystems")
def listed() -> Any:
    seen = platform()
    shown = seen.subsystems()
    return page("subsystems.html", "subsystems", **shown, sparks=seen.sparks(shown["rows"]), news="/news/subsystems")


@pages.post("/subsystems/<replica>/restart")
def restart(replica: str) -> Any:
    """To the incident that shows how far it is."""
    platform()
    made = api().post("subsystems", replica, "restart")
    return redirect(f"/incidents/{made['id']}", 303)
