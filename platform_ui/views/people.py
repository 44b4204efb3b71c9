"""People as the directory has them, and what their groups give them."""

from __future__ import annotations

from typing import Any

from flask import Blueprint

from contracts.errors import Forbidden
from platform_ui.asking import part
from platform_ui.people_shown import given, shown
from platform_ui.views.common import api, page, person

pages = Blueprint("people", __name__)


@pages.get("/people")
def listed() -> Any:
    if "admin" not in person().roles:
        raise Forbidden("People and roles are for administrators.")
    people = part(lambda: [shown(p) for p in api().items("people")], empty=[])
    return page("people.html", "people", people=people, given=given(people.value))
