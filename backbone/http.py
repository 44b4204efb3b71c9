"""One way for all to serve HTTP: Flask with OpenAPI behind live routes, and one door by the table of roles."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from typing import Any

from flask import Flask, Response, abort, current_app, g, request
from flask_openapi.models.info import Info
from flask_openapi.openapi import OpenAPI
from starlette.applications import Starlette
from starlette.responses import Response as LiveResponse
from starlette.routing import BaseRoute, Mount
from starlette.types import Receive, Scope, Send
from werkzeug.exceptions import HTTPException

from backbone.backbone import Backbone
from backbone.bridge import Bridge
from backbone.claims import Claims
from backbone.context import Action, acting, current
from backbone.http_access import SAFE, Asked, admit, bearer, correlation_of
from backbone.http_answers import Answers, Kept
from backbone.http_blueprint import Blueprint
from backbone.http_describe import describe
from backbone.http_problems import SECURITY_HEADERS, Answered, ProblemBody, problem, problem_of
from backbone.live import Live, as_json
from backbone.logs import get_log
from contracts import roles
from contracts.errors import NotFound, Refused, Unavailable

__all__ = ["Blueprint", "api", "caller", "caller_token", "compose", "workspace_of"]
log = get_log()


def caller() -> Claims:
    """Whose request this is. Refused: the route is open to all, nobody has said."""
    claims: Claims | None = g.get("claims")
    if claims is None:
        raise Refused("This needs a token.")
    return claims


def caller_token() -> str:
    """The caller's own token, to pass on when asking another subsystem for this person."""
    return bearer(request.headers.get("Authorization", ""))


def workspace_of(given: str = "") -> str:
    """`given` (check it by caller().need()), or `?workspace=` (the door has checked it), or the caller's own."""
    claims = caller()
    return given or request.args.get("workspace", "") or claims.workspace or claims.subject


def api(name: str, blueprints: Iterable[Blueprint], backbone: Backbone) -> OpenAPI:
    """The Flask side of a subsystem; `name` is its title in the OpenAPI document at /api/v1/openapi/<name>."""
    app = OpenAPI(
        name,
        static_folder=None,
        info=Info(title=f"Berth {name}", version="1"),
        doc_ui=False,
        validation_error_status=422,
        validation_error_model=ProblemBody,
        security_schemes={"token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
    )
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    app.url_map.strict_slashes = False
    app.extensions["berth"] = backbone
    door = Door(backbone)
    app.before_request(door.enter)
    app.after_request(door.leave)
    app.teardown_request(door.shut)
    app.register_error_handler(Exception, said)
    for blueprint in blueprints:
        app.register_api(blueprint)
    app.add_url_rule("/api/v1/openapi/<subsystem>", "openapi", _document)
    return app


def _document(subsystem: str) -> Any:
    """The OpenAPI document of this subsystem."""
    if subsystem != current_app.name:
        raise NotFound(f"This is {current_app.name}, not {subsystem}.")
    return current_app.api_doc  # type: ignore[attr-defined]


class Door:
    """What happens around every Flask request."""

    def __init__(self, backbone: Backbone) -> None:
        self._backbone, self._answers = backbone, Answers(backbone)

    def enter(self) -> Response | None:
        """Who asks, in which action; a repeated POST is answered here. Unknown paths go on to their 404 or 405."""
        g.stack = ExitStack()
        headers = request.headers
        correlation = correlation_of(headers.get("traceparent", ""))
        g.stack.enter_context(acting(Action(correlation)))
        if request.url_rule is None:
            return None
        route = roles.declared(request.method, request.url_rule.rule)
        workspace = request.args.get("workspace", "")
        asked = Asked(
            request.method, request.host, headers.get("Origin", ""), headers.get("Authorization", ""), workspace
        )
        g.route, g.claims = route, admit(self._backbone, route, asked)
        if g.claims is None:
            return None
        g.stack.enter_context(acting(Action(correlation, workspace=workspace, actor=g.claims.subject)))
        key = headers.get("Idempotency-Key", "")
        if request.method != "POST" or not key:
            return None
        g.answer_id, kept = self._answers.begin(g.claims, key, "POST", request.full_path, request.get_data())
        if kept is None:
            return None
        del g.answer_id
        return Response(kept.body, kept.status, {"Idempotent-Replayed": "true"}, content_type=kept.content_type)

    def leave(self, response: Response) -> Response:
        """What the route left unsaid is said; its answer is kept under its key."""
        if request.method not in SAFE:
            try:
                self._backbone.outbox.flush()
            except Unavailable as error:
                log.warning("unsaid_for_now", reason=error.detail)
        if "answer_id" in g:
            body = response.get_data(as_text=True)
            self._answers.finish(g.answer_id, Kept(response.status_code, response.content_type, body), g.route.secret)
        for header, value in SECURITY_HEADERS.items():
            response.headers.setdefault(header, value)
        response.headers.setdefault("X-Correlation", current().correlation)
        return response

    def shut(self, _: BaseException | None) -> None:
        stack: ExitStack | None = g.pop("stack", None)
        if stack is not None:
            stack.close()


def said(error: Exception) -> Response:
    """Flask's own errors keep their headers (Allow, Location); everything else is said as everywhere."""
    if not isinstance(error, HTTPException):
        return _flask(problem_of(error))
    if error.response is not None:
        return Response(error.response.get_data(), error.response.status_code, list(error.response.headers))  # type: ignore[attr-defined]
    headers = {k: v for k, v in error.get_headers() if k.lower() != "content-type"}
    return _flask(problem(error.code or 500, error.description or "", headers=headers))


def _flask(answered: Answered) -> Response:
    status, headers, body = answered
    return Response(body, status, headers)


def compose(
    app: Flask | None, routes: Sequence[BaseRoute], live: Live, ready: Callable[[], list[str]], hung: Callable[[], str] = str
) -> Starlette:
    """One ASGI app: /live (503 where `hung` says why), /ready (503 with reasons where it cannot serve), the live routes,
    and Flask behind them. `ready` and `hung` tell what is remembered; they ask nobody and wait for nothing."""
    backbones = {id(r.berth[0]): r.berth[0] for r in routes if hasattr(r, "berth")}
    if app is not None and "berth" in app.extensions:
        backbones[id(app.extensions["berth"])] = app.extensions["berth"]
        describe(app, routes)
    checkers = [backbone.tokens for backbone in backbones.values()]

    def unready() -> str:
        reasons = [*ready(), *(reason for checker in checkers for reason in checker.reasons())]
        return "; ".join([*reasons, "it is being stopped"] if live.closing else reasons)

    behind: list[BaseRoute] = [Mount("/", Bridge((app or _nothing()).wsgi_app))]
    composed = Composed(routes=[*routes, *behind])
    composed.signs = {"/live": ("live", hung), "/ready": ("ready", unready)}
    composed.state.checkers, composed.state.flask, composed.state.live = checkers, app, live
    return composed


class Composed(Starlette):
    """What is asked for again and again by those who watch, the signs of life, takes the short way: it is most of what is asked of an
    idle part. Path -> (its word, why not)."""

    signs: Mapping[str, tuple[str, Callable[[], str]]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        sign = self.signs.get(scope["path"]) if scope["type"] == "http" and scope["method"] in SAFE else None
        if sign is None:
            return await super().__call__(scope, receive, send)
        word, why_not = sign
        if problem_now := why_not():
            status, headers, body = problem(503, problem_now)
            return await LiveResponse(body, status, headers)(scope, receive, send)
        await as_json({"status": word})(scope, receive, send)


def _nothing() -> Flask:
    app = Flask(__name__, static_folder=None)
    app.register_error_handler(HTTPException, said)
    app.add_url_rule("/api/v1/<path:rest>", "none", lambda rest: abort(404))
    return app
