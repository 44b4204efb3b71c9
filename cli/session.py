"""A platform as one person sees it: the token is sent, renewed when it is refused, and shared with other processes."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from cli import here
from cli.client import Reply, Wire
from cli.context import Context, Contexts, config, home
from cli.failure import Failure, answered
from cli.patience import patient, pause
from cli.sse import Event

AGAIN = (0.2, 0.5, 1.0, 2.0, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0)
"""Pauses before an event stream that broke is opened again."""


class Platform:
    """The verbs of HTTP below /api/v1. Failure: the platform says no, with its own words."""

    def __init__(self, context: Context, contexts: Contexts, local: here.Here | None = None, wire: Wire | None = None) -> None:
        self.context, self._contexts, self._local = context, contexts, local
        self._wire = wire or Wire(context.url, context.ca)

    @property
    def trace(self) -> str:
        return self._wire.trace

    def get(self, path: str, **query: Any) -> Any:
        return self._good("GET", path, query=query).json

    def text(self, path: str) -> str:
        return self._good("GET", path, text=True).text

    def post(self, path: str, json: Any = None, **query: Any) -> Any:
        return self._good("POST", path, json, query, secrets.token_hex(16)).json

    def delete(self, path: str, **query: Any) -> Any:
        return self._good("DELETE", path, query=query).json

    def items(self, path: str, **query: Any) -> list[dict[str, Any]]:
        """A whole list, page by page."""
        page = self.get(path, **query)
        found = list(page["items"])
        while page["next"]:
            page = self.get(path, **query, next=page["next"])
            found += page["items"]
        return found

    def glance(self, path: str) -> list[dict[str, Any]]:
        """The first page of a list that only makes another one easier to read: [] where it is not to be had now, or not yours."""
        try:
            reply = self._asked("GET", path, None, None, "")
        except Failure:
            return []
        return list(reply.json["items"]) if reply.status == 200 and reply.json else []

    def upload(self, path: str, file: BinaryIO, size: int, query: Mapping[str, Any], told: Callable[[int], None]) -> tuple[int, Any]:
        """Status and JSON. The token and the one who takes it are tried first, so that no upload is in vain."""
        self.get("/deployments", name="-")
        reply = self._wire.upload(path, file, size, self._token(), query, told)
        if reply.status >= 400:
            raise answered(reply.status, reply.json, f"POST {path}")
        return reply.status, reply.json

    def events(self, path: str) -> Iterator[Event]:
        """Opened again where it stopped, when the line or the token ends; the one who listens says when it is enough."""
        last, pauses = "", iter(AGAIN)
        while True:
            try:
                for event in self._events(path, last):
                    last, pauses = event.id or last, iter(AGAIN)
                    yield event
                broken = Failure(f"{self.context.url} ends the stream of {path} again and again.", "berth subsystems shows what is away.")
            except Failure as failure:
                if 0 < failure.status < 500 and failure.status != 429:
                    raise
                broken = failure
            wait = next(pauses, None)
            if wait is None:
                raise broken
            pause(wait)

    def _events(self, path: str, last: str) -> Iterator[Event]:
        token = self._token()
        try:
            yield from self._wire.events(path, token, last)
        except Failure as failure:
            if failure.status != 401:
                raise
            yield from self._wire.events(path, self._renewed(token), last)

    def _good(
        self, method: str, path: str, json: Any = None, query: Mapping[str, Any] | None = None, key: str = "", text: bool = False
    ) -> Reply:
        reply = patient(lambda: self._asked(method, path, json, query, key), also_broken=method == "GET" or bool(key))
        if reply.status >= 400 or (reply.json is None and reply.status != 204 and not text):
            raise answered(reply.status, reply.json, f"{method} {path}")
        return reply

    def _asked(self, method: str, path: str, json: Any, query: Mapping[str, Any] | None, key: str) -> Reply:
        token = self._token()
        reply = self._wire.ask(method, path, token, json, query, key)
        return self._wire.ask(method, path, self._renewed(token), json, query, key) if reply.status == 401 else reply

    def _token(self) -> str:
        return self.context.access_token or self._renewed("")

    def _renewed(self, refused: str) -> str:
        """One process renews; the others find its token when the lock is theirs, for a refresh token counts once."""
        with self._contexts.locked():
            kept = self._contexts.get(self.context.key)
            if kept and kept.access_token and kept.access_token != refused:
                self.context = replace(self.context, access_token=kept.access_token, refresh_token=kept.refresh_token)
                return self.context.access_token
            self.context = self._anew(replace(kept, url=self.context.url, ca=self.context.ca) if kept else self.context)
            self._contexts.keep(self.context, current=False)
        return self.context.access_token

    def _anew(self, kept: Context) -> Context:
        if kept.refresh_token:
            given = {"refresh_token": kept.refresh_token}
            reply = patient(lambda: self._wire.ask("POST", "/session/refresh", json=given), also_broken=False)
            if reply.status == 201:
                return opened(kept, reply.json)
            if reply.status != 401:
                raise answered(reply.status, reply.json, "POST /session/refresh")
        if self._local is None:
            raise Failure(f"The session at {kept.url} has ended.", f"berth login {kept.url}", {"status": 401, "title": "Unauthorized"})
        return log_in(self._wire, kept, *self._local.login())


def log_in(wire: Wire, context: Context, username: str, password: str) -> Context:
    given = {"username": username, "password": password}
    reply = patient(lambda: wire.ask("POST", "/session", json=given), also_broken=True)
    if reply.status != 201:
        raise answered(reply.status, reply.json, "POST /session")
    return opened(context, reply.json)


def opened(context: Context, session: Any) -> Context:
    return replace(context, username=session["user"]["username"], access_token=session["access_token"],
                   refresh_token=session["refresh_token"])  # fmt: skip


def connect(at: str = "") -> Platform:
    """The platform logged in to, or the only installation of this machine; `at` chooses, by address or by installation's name."""
    contexts = Contexts(config())
    kept = contexts.get(address(at)) if is_address(at) else None if at else contexts.current()
    if kept:
        return Platform(kept, contexts)
    local = here.by_url(home(), address(at)) if is_address(at) else here.only(home(), at)
    if local is None:
        raise Failure(f"Nobody is logged in at {address(at)}.", f"berth login {address(at)}")
    before = contexts.get(f"@{local.name}") or Context(local.url, local=local.name)
    return Platform(replace(before, url=local.url, ca=local.ca), contexts, local)


def is_address(text: str) -> bool:
    return any(mark in text for mark in ":/.")


def address(text: str) -> str:
    """https:// and no path; plain HTTP to this machine alone, for a password goes over it."""
    parts = urlsplit(text if "://" in text else f"https://{text}")
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise Failure(f"{text} is no address.", "It looks like https://localhost:8443.")
    if parts.scheme == "http" and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
        raise Failure(f"{text} would send the password unencrypted.", f"Use https://{parts.netloc}.")
    return f"{parts.scheme}://{parts.netloc}"
