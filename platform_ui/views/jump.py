"""Jump to anything by its name: a fragment for the palette."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template, request

from platform_ui import model
from platform_ui.asking import hidden
from platform_ui.views.common import api, looked_at, person

pages = Blueprint("jump", __name__)
MOST = 8


@pages.get("/jump")
def found() -> Any:
    """Apps and devices whose name or place holds what was written, and the pages one may go to."""
    wanted = request.args.get("q", "").strip().lower()
    reads = person().reads
    spaces = looked_at()
    apps = [a for s in spaces for a in hidden(api().items, "apps", workspace=s, empty=[])]
    devices = [d for s in spaces for d in hidden(api().items, "devices", workspace=s, empty=[])] if reads else []
    return render_template(
        "parts/jump.html",
        apps=[a for a in apps if wanted in a["name"]][:MOST],
        devices=[d for d in devices if wanted in d["name"] or wanted in d["place"]][:MOST],
        pages=[p for p in model.places(person().roles) if wanted in p.name.lower()],
        makes=bool({"admin", "developer"} & set(person().roles)),
        wanted=wanted,
    )
