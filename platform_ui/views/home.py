"""The first page: what needs attention, the newest apps and devices."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response

from contracts.errors import NotFound
from platform_ui.views.common import is_staff, looked_at, overview, page, person, platform, site

pages = Blueprint("home", __name__)


@pages.get("/")
def home() -> Any:
    if not person().reads:
        return page("home-open.html", "home", apps=overview().apps(looked_at()), news="/news/home")
    seen = overview().home(looked_at(), platform() if is_staff() else None, site().backbone.clock.now())
    return page("home.html", "home", **seen, news="/news/home")


@pages.get("/ca.crt")
def authority() -> Any:
    """The installation's authority, for devices to verify it by. It is no secret."""
    pem = site().backbone.settings.text("BERTH_CA", "")
    if not pem:
        raise NotFound("This installation has no authority of its own: its certificate is known to every system.")
    return Response(pem, content_type="application/x-pem-file", headers={"Content-Disposition": 'attachment; filename="ca.crt"'})
