"""Routes for what stays open: async, checked by the same table, answering the same problems as Flask's."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar
from weakref import WeakKeyDictionary

from pydantic_core import to_json
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from backbone.backbone import Backbone
from backbone.claims import Claims
from backbone.context import Action, acting
from backbone.http_access import SAFE, Asked, admit, bearer, correlation_of
from backbone.http_problems import SECURITY_HEADERS, Answered, problem, problem_of
from backbone.logs import get_log
from contracts import roles
from contracts.errors import Refused, Unavailable

log = get_log()
P = ParamSpec("P")
T = TypeVar("T")


class Live:
    """What may stay open in one process. `close` (from any thread) ends all of it; `news` wakes those that watch."""

    def __init__(self, threads: int = 8) -> None:
        self.closing = False
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="live")
        self._lock = threading.Lock()
        self._events: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Event] = WeakKeyDictionary()

    def close(self) -> None:
        self.closing = True
        self.news()

    def news(self) -> None:
        """Something changed: every `until` returns at once."""
        with self._lock:
            woken, self._events = dict(self._events), WeakKeyDictionary()
        for loop, event in woken.items():
            if not loop.is_closed():
                loop.call_soon_threadsafe(event.set)

    async def until(self, seconds: float) -> bool:
        """Waits for news, or so many seconds. True when all must end."""
        with self._lock:
            event = self._events.setdefault(asyncio.get_running_loop(), asyncio.Event())
        if not self.closing:
            with suppress(TimeoutError):
                await asyncio.wait_for(event.wait(), seconds)
        return self.closing

    async def stored(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """A call that may block (a store's verb), on one of a few threads, in the same action."""
        context = contextvars.copy_context()
        return await asyncio.get_running_loop().run_in_executor(self._pool, lambda: context.run(call, *args, **kwargs))


@dataclass(frozen=True)
class Call:
    """A request that has passed the door. `claims` say whose it is."""

    request: Request
    claims: Claims
    live: Live
    backbone: Backbone

    @property
    def path(self) -> dict[str, str]:
        return {k: str(v) for k, v in self.request.path_params.items()}

    @property
    def query(self) -> dict[str, str]:
        return dict(self.request.query_params)

    @property
    def workspace(self) -> str:
        """`?workspace=`, which the door has checked against the table, or the caller's own."""
        return self.query.get("workspace") or self.claims.workspace or self.claims.subject

    @property
    def token(self) -> str:
        """To pass on when asking another subsystem for this person."""
        return bearer(self.request.headers.get("authorization", ""))

    async def stored(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await self.live.stored(call, *args, **kwargs)


Endpoint = Callable[[Call], Awaitable[Response]]
Socket = Callable[[WebSocket, Claims, Live], Awaitable[None]]


def as_json(value: Any, status: int = 200, **headers: str) -> Response:
    """A model, or anything JSON can hold."""
    return Response(to_json(value), status, headers, "application/json")


def live_route(method: str, pattern: str, endpoint: Endpoint, backbone: Backbone, live: Live) -> Route:
    """`pattern` as in contracts.roles, `/api/v1/…/{id}`. Errors become problems; what a write leaves unsaid is sent."""
    declared = roles.declared(method, pattern)

    async def handle(request: Request) -> Response:
        action = Action(correlation=correlation_of(request.headers.get("traceparent", "")))
        with acting(action):
            try:
                claims = admit(backbone, declared, _asked(request))
                assert claims is not None, "live routes ask for a token"
                with acting(
                    Action(
                        action.correlation, workspace=request.query_params.get("workspace", ""), actor=claims.subject
                    )
                ):
                    response = await endpoint(Call(request, claims, live, backbone))
                if request.method not in SAFE:
                    await live.stored(_say, backbone)
            except ClientDisconnect:
                log.info("request_broken_off", path=request.url.path)
                return _response(problem(400, "The request was broken off."))
            except HTTPException as error:
                return _response(problem(error.status_code, error.detail, headers=dict(error.headers or {})))
            except Exception as error:
                return _response(problem_of(error))
        return _secured(response, action.correlation)

    route = Route(pattern, handle, methods=[method], name=endpoint.__name__)
    route.methods = {method}
    route.berth = (backbone, endpoint)  # type: ignore[attr-defined]
    return route


def live_socket(pattern: str, endpoint: Socket, backbone: Backbone, live: Live) -> WebSocketRoute:
    """A WebSocket: refused before it opens; `endpoint` accepts it, and ends it when `live.closing`."""
    declared = roles.declared("GET", pattern)

    async def handle(socket: WebSocket) -> None:
        with acting(Action(correlation=correlation_of(socket.headers.get("traceparent", "")))):
            try:
                claims = admit(backbone, declared, _asked(socket))
                if claims is None:
                    raise Refused("A WebSocket needs a token.")
            except Exception as error:
                await socket.send_denial_response(_response(problem_of(error)))
                return
            with suppress(WebSocketDisconnect):
                await endpoint(socket, claims, live)

    route = WebSocketRoute(pattern, handle, name=endpoint.__name__)
    route.berth = (backbone, endpoint)  # type: ignore[attr-defined]
    return route


def _asked(request: Request | WebSocket) -> Asked:
    headers = request.headers
    method = request.method if isinstance(request, Request) else "POST"
    return Asked(
        method,
        headers.get("host", ""),
        headers.get("origin", ""),
        headers.get("authorization", ""),
        request.query_params.get("workspace", ""),
    )


def _say(backbone: Backbone) -> None:
    try:
        backbone.outbox.flush()
    except Unavailable as error:
        log.warning("unsaid_for_now", reason=error.detail)


def _response(answer: Answered) -> Response:
    status, headers, body = answer
    return _secured(Response(body, status, headers), "")


def _secured(response: Response, correlation: str) -> Response:
    for name, value in SECURITY_HEADERS.items():
        response.headers.setdefault(name, value)
    if correlation:
        response.headers.setdefault("X-Correlation", correlation)
    return response
