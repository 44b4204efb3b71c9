"""The Flask side: who looks, in which action; forms checked before any view; errors as pages."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any
from urllib.parse import quote

from flask import Flask, Response, g, redirect, render_template, request
from werkzeug.exceptions import HTTPException

from backbone.clock import new_trace
from backbone.context import Action, acting, current
from backbone.http_access import correlation_of
from backbone.logs import get_log
from contracts.errors import BerthError, Refused
from platform_ui import errors, guard
from platform_ui.shell import fill
from platform_ui.site import Site

log = get_log()
OPEN = ("login", "static")


def create_app(site: Site) -> Flask:
    from platform_ui.views import BLUEPRINTS

    app = Flask("platform_ui", root_path=str(site.root), static_folder=None)
    app.extensions["ui"] = site
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    fill(app, site)
    app.before_request(enter)
    app.after_request(leave)
    app.teardown_request(shut)
    app.register_error_handler(Exception, said)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    return app


def enter() -> Any:
    """The session's person, or the way to the login; a write must come from a form of this very session."""
    from platform_ui.views.common import site

    g.stack, g.nonce, g.person = ExitStack(), new_trace(), None
    correlation = correlation_of(request.headers.get("traceparent", ""))
    g.stack.enter_context(acting(Action(correlation)))
    here = site()
    g.person = here.store.person(request.cookies.get(here.guard.cookie, ""))
    if request.method not in ("GET", "HEAD"):
        here.guard.same_origin(request.headers.get("Origin", ""), request.headers.get("Sec-Fetch-Site", ""), request.host)
    if request.endpoint is None or (request.blueprint or "") in OPEN:
        return None
    if g.person is None:
        return to_login()
    g.stack.enter_context(acting(Action(correlation, workspace=g.person.workspace, actor=g.person.username)))
    if request.method not in ("GET", "HEAD"):
        guard.same_token(request.form.get("csrf", ""), g.person.csrf)
    return None


def to_login() -> Any:
    """After it, the page that was asked for; a write is not repeated."""
    wanted = request.full_path.rstrip("?") if request.method == "GET" else "/"
    return redirect("/login" + (f"?next={quote(wanted, safe='')}" if wanted != "/" else ""), 303)


def leave(response: Response) -> Response:
    for name, value in guard.page_headers(g.get("nonce") or new_trace()).items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("X-Correlation", current().correlation)
    return response


def shut(_: BaseException | None) -> None:
    stack: ExitStack | None = g.pop("stack", None)
    if stack is not None:
        stack.close()


def said(error: Exception) -> Any:
    """Every error is a page that names its cause and the next step. A session that is over goes to the login."""
    if isinstance(error, Refused) and g.get("person") is not None:
        return to_login()
    if isinstance(error, HTTPException) and (error.code or 500) < 400:
        return error
    if not isinstance(error, (BerthError, HTTPException)):
        log.error("page_broken", path=request.path, exc_info=error)
    status, page = errors.told(error, request.path)
    return render_template("error.html", page=page, correlation=current().correlation), status
