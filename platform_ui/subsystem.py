"""Pages, what stays open beside them, and the files that browsers keep."""

from __future__ import annotations

from backbone.backbone import Backbone
from backbone.live import Live
from backbone.loop import Tick
from backbone.subsystem import Subsystem
from platform_ui.files import files
from platform_ui.live import routes
from platform_ui.live_staff import staff_routes
from platform_ui.site import Site
from platform_ui.web import create_app


def build(backbone: Backbone) -> Subsystem:
    """It checks no tokens: what a person may do is decided by the API, which gets that person's own token."""
    site, live = Site(backbone), Live(threads=16)
    app = create_app(site)
    return Subsystem(
        backbone,
        ticks=[Tick(600.0, site.store.forget)],
        api=app,
        routes=[files(site.root / "static"), *routes(site, app.jinja_env, live), *staff_routes(site, app.jinja_env, live)],
        live=live,
        checks_tokens=False,
    )
