"""What stays open for the pages of staff, and the lines of everybody's pages."""

from __future__ import annotations

from jinja2 import Environment
from starlette.routing import BaseRoute

from backbone.live import Live
from platform_ui.live_lines import LineRoom
from platform_ui.session_live import browser_route
from platform_ui.site import Site


def staff_routes(site: Site, env: Environment, live: Live) -> list[BaseRoute]:
    lines = LineRoom(env)
    pages = (("/news/lines", lines.lines),)
    return [browser_route("GET", pattern, endpoint, site, live) for pattern, endpoint in pages]
