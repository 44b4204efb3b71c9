"""The door of what stays open for a browser: the cookie instead of a bearer, the same problems."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from backbone.context import Action, acting
from backbone.http_access import correlation_of
from backbone.http_problems import SECURITY_HEADERS, problem, problem_of
from backbone.live import Live
from backbone.logs import get_log
from contracts.errors import Refused
from platform_ui.asking import Api
from platform_ui.guard import same_token
from platform_ui.site import Site
from platform_ui.store import Person

log = get_log()


@dataclass(frozen=True)
class Visit:
    """A browser's request that has passed the door."""

    request: Request
    person: Person
    site: Site
    live: Live

    @property
    def path(self) -> dict[str, str]:
        return {k: str(v) for k, v in self.request.path_params.items()}

    @property
    def api(self) -> Api:
        return self.site.api(self.person)

    async def token(self) -> str:
        return await self.live.stored(self.site.tokens.of, self.person.session)


Endpoint = Callable[[Visit], Awaitable[Response]]


def browser_route(method: str, pattern: str, endpoint: Endpoint, site: Site, live: Live) -> Route:
    async def handle(request: Request) -> Response:
        with acting(Action(correlation_of(request.headers.get("traceparent", "")))):
            try:
                response = await endpoint(await _enter(request, site, live))
            except ClientDisconnect:
                log.info("request_broken_off", path=request.url.path)
                response = _answer(problem(400, "The request was broken off."))
            except Exception as error:
                response = _answer(problem_of(error))
        for name, value in SECURITY_HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    return Route(pattern, handle, methods=[method], name=endpoint.__name__)


async def _enter(request: Request, site: Site, live: Live) -> Visit:
    person = await live.stored(site.store.person, request.cookies.get(site.guard.cookie, ""))
    if person is None:
        raise Refused("This session is over; log in again.")
    if request.method not in ("GET", "HEAD"):
        told = request.headers
        site.guard.same_origin(told.get("origin", ""), told.get("sec-fetch-site", ""), told.get("host", ""))
        same_token(request.headers.get("x-csrf-token", ""), person.csrf)
    return Visit(request, person, site, live)


def _answer(told: tuple[int, dict[str, str], bytes]) -> Response:
    status, headers, body = told
    return Response(body, status, headers)
