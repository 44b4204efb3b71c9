"""Asks another subsystem over its HTTP API, through the front door's internal listener: healthy replicas only."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

import httpx

from backbone.context import current
from backbone.settings import Settings
from contracts.errors import BerthError, Conflict, Forbidden, Invalid, NotFound, Problem, Refused, TooMany, Unavailable

PREFIX = "/api/v1"
ERRORS: dict[int, type[BerthError]] = {401: Refused, 403: Forbidden, 404: NotFound, 409: Conflict}


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def json(self) -> Any:
        """None where there is no body."""
        return json.loads(self.body) if self.body else None

    def check(self) -> Answer:
        """Itself when it is a success, else the error that the other side had."""
        if self.status < 400:
            return self
        told = self.json if "json" in self.headers.get("content-type", "") else {}
        detail = told.get("detail") or f"answered {self.status}"
        if self.status in ERRORS:
            raise ERRORS[self.status](detail)
        if self.status in (400, 422):
            raise Invalid(detail, [Problem.model_validate(e) for e in told.get("errors", [])])
        if self.status == 429:
            raise TooMany(detail, float(self.headers.get("retry-after", "1")))
        raise Unavailable(f"another part of Berth answered {self.status}: {detail}")


@dataclass(frozen=True)
class Streamed:
    """An answer whose body is read as it comes: an event stream, or the answer to an upload."""

    status: int
    headers: Mapping[str, str]
    body: AsyncIterator[bytes]

    async def whole(self) -> Answer:
        return Answer(self.status, b"".join([part async for part in self.body]), self.headers)


class Peers(Protocol):
    """`path` is below /api/v1. `token` is the person's, when acting for one; by default this subsystem's own.

    A success and a problem alike are an Answer: `.check()` raises. Unavailable: nobody answered; a write may have been done.
    """

    def get(self, path: str, token: str | None = None) -> Answer: ...

    def post(self, path: str, json: Any = None, token: str | None = None) -> Answer: ...

    def delete(self, path: str, token: str | None = None) -> Answer: ...

    def stream(
        self,
        method: str,
        path: str,
        token: str | None = None,
        body: AsyncIterator[bytes] | None = None,
        more: Mapping[str, str] | None = None,
    ) -> AbstractAsyncContextManager[Streamed]:
        """For what stays open or is large: nothing of either body is held. `more` are further headers, in lower case."""


def headers(token: str) -> dict[str, str]:
    """The token and the action in hand."""
    trace = current().correlation
    told = {"traceparent": f"00-{trace}-{trace[:16]}-01"} if len(trace) == 32 else {}
    return told | ({"Authorization": f"Bearer {token}"} if token else {})


class HttpPeers:
    def __init__(self, url: str, token: str) -> None:
        self._token = token
        self._url = url
        self._client = httpx.Client(base_url=url, timeout=httpx.Timeout(10, connect=2), trust_env=False)
        self._streams: httpx.AsyncClient | None = None

    def get(self, path: str, token: str | None = None) -> Answer:
        return self._ask("GET", path, None, token)

    def post(self, path: str, json: Any = None, token: str | None = None) -> Answer:
        return self._ask("POST", path, json, token)

    def delete(self, path: str, token: str | None = None) -> Answer:
        return self._ask("DELETE", path, None, token)

    @asynccontextmanager
    async def stream(
        self,
        method: str,
        path: str,
        token: str | None = None,
        body: AsyncIterator[bytes] | None = None,
        more: Mapping[str, str] | None = None,
    ) -> AsyncIterator[Streamed]:
        """The client belongs to the one loop of the process."""
        if self._streams is None:
            waits = httpx.Timeout(60, connect=2, read=None, pool=5)
            most = httpx.Limits(max_connections=1000, max_keepalive_connections=20)
            self._streams = httpx.AsyncClient(base_url=self._url, timeout=waits, limits=most, trust_env=False)
        whose = self._token if token is None else token
        told = {**headers(whose), **(more or {})}
        try:
            async with self._streams.stream(method, PREFIX + path, content=body, headers=told) as got:
                yield Streamed(got.status_code, dict(got.headers), got.aiter_bytes())
        except httpx.HTTPError as error:
            raise _away(method, path, error) from error

    def _ask(self, method: str, path: str, body: Any, token: str | None) -> Answer:
        whose = self._token if token is None else token
        try:
            try:
                got = self._client.request(method, PREFIX + path, json=body, headers=headers(whose))
            except httpx.RemoteProtocolError:
                # HAProxy closes a kept connection without a word when the replica died that had the request; RFC 9112 9.3.1
                # lets a client repeat what is safe.
                if method != "GET":
                    raise
                got = self._client.request(method, PREFIX + path, headers=headers(whose))
        except httpx.HTTPError as error:
            raise _away(method, path, error) from error
        return Answer(got.status_code, got.content, dict(got.headers))


def _away(method: str, path: str, error: httpx.HTTPError) -> Unavailable:
    return Unavailable(f"{method} {path}: no answer from another part of Berth ({type(error).__name__}).")


def open_peers(settings: Settings) -> HttpPeers:
    url = settings.text("BERTH_INTERNAL_URL", "http://haproxy:8090")
    return HttpPeers(url, settings.secret("BERTH_TOKEN").reveal())
