"""Asks the HTTP API for one person: their token, their workspace, this request's correlation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from backbone.peers import Peers
from contracts.errors import BerthError, Unavailable


@dataclass(frozen=True)
class Api:
    """`token` is asked for at each call, so that a long page never holds an old one."""

    peers: Peers
    token: Callable[[], str]

    def get(self, *path: str, **query: Any) -> Any:
        """The JSON of a success. Raises what the API said otherwise."""
        return self.peers.get(address(*path, **query), token=self.token()).check().json

    def items(self, *path: str, **query: Any) -> list[Any]:
        """A whole list, page after page."""
        found: list[Any] = []
        while True:
            page = self.get(*path, **query)
            found += page["items"]
            following = page.get("next", "")
            if not following or len(found) > 2000:
                return found
            query["after"] = following

    def text(self, *path: str) -> str:
        return self.peers.get(address(*path), token=self.token()).check().body.decode(errors="replace")

    def post(self, *path: str, json: Any = None, **query: Any) -> Any:
        return self.peers.post(address(*path, **query), json, token=self.token()).check().json

    def delete(self, *path: str) -> None:
        self.peers.delete(address(*path), token=self.token()).check()


def address(*path: str, **query: Any) -> str:
    """A path below /api/v1 of its parts, each escaped; queries that are None or empty are left out."""
    asked = {k: v for k, v in query.items() if v not in (None, "")}
    return "/" + "/".join(quote(part, safe="") for part in path) + (f"?{urlencode(asked)}" if asked else "")


@dataclass(frozen=True)
class Part:
    """What a part of a page holds, or why it cannot be shown now: one part away never takes the page.

    `since` is when a value was seen that is shown although its part is away now.
    """

    value: Any
    away: str = ""
    since: str = ""


def part(call: Callable[..., Any], *args: str, empty: Any = None, **query: Any) -> Part:
    try:
        return Part(call(*args, **query))
    except Unavailable as error:
        return Part(empty, error.detail)


def tried(call: Callable[..., Any], *args: str, empty: Any = None, **query: Any) -> Part:
    """As `part`, and also where the API refuses: for what stands beside the page's own matter."""
    try:
        return Part(call(*args, **query))
    except BerthError as error:
        return Part(empty, str(error.detail))


def hidden(call: Callable[..., Any], *args: str, empty: Any = None, **query: Any) -> Any:
    """For what is left out where it is not there."""
    try:
        return call(*args, **query)
    except BerthError:
        return empty
