"""Which workspace one looks at."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, request

from contracts.errors import NotFound
from platform_ui.views.common import after, person, site, spaces
from platform_ui.views.login import back_to

pages = Blueprint("workspaces", __name__)


@pages.post("/workspace")
def switch() -> Any:
    """To the same list in the other workspace; a single thing's page belongs to one, so from there to the home page."""
    wanted = request.form.get("workspace", "")
    if wanted not in {w["name"] for w in spaces()}:
        raise NotFound(f"Workspace {wanted} is not there, or not yours to know of.")
    site().store.look_at(person().session, wanted)
    here = back_to(request.form.get("next", ""))
    return after(here if here in ("/apps", "/devices", "/logs") else "/")
