"""What an error page says: the cause, what was not lost, what to do. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from werkzeug.exceptions import HTTPException

from contracts.errors import BerthError, Unavailable

GONE = "What you asked for is not here, or is not yours to know of."


@dataclass(frozen=True)
class Told:
    """`again` is whether trying again can help: the page then does so by itself."""

    status: int
    title: str
    detail: str
    steps: tuple[str, ...]
    again: bool = False
    tone: str = "warn"


TITLES = {
    400: "That request cannot be understood",
    401: "Log in to see this",
    403: "This is not yours to do",
    404: "There is nothing at this address",
    405: "That cannot be done here",
    409: "That cannot be done just now",
    413: "That is too large",
    422: "Something in that does not fit",
    429: "That was too often",
    500: "This page is broken",
    503: "This cannot be shown just now",
}


def told(error: Exception, path: str) -> tuple[int, Told]:
    if isinstance(error, Unavailable):
        steps = ("Wait: this page tries again by itself.",)
        return 503, Told(503, TITLES[503], _sentence(error.detail) + " Nothing you sent before was lost.", steps, again=True)
    if isinstance(error, BerthError):
        return error.status, _known(error.status, _sentence(error.detail))
    if isinstance(error, HTTPException):
        status = error.code or 500
        return status, _known(status, GONE if status == 404 else _sentence(error.description or ""))
    detail = "The mistake is Berth’s, not yours. What was stored before is unchanged."
    return 500, Told(500, TITLES[500], detail, ("Try again once.",), tone="bad")


def _known(status: int, detail: Any) -> Told:
    title = TITLES.get(status, TITLES[500])
    if status == 404:
        return Told(404, title, detail, ("Look whether the address is whole.", "Find it by name: press / and write."), tone="off")
    if status == 403:
        return Told(403, title, detail, ("Go back and load the page again.", "Ask the workspace’s owner if you need this."), tone="bad")
    if status == 429:
        return Told(429, title, detail, ("Wait a little, then try again.",))
    return Told(status, title, detail, ("Go back and change it, then send it again.",), tone="bad")


def _sentence(text: str) -> str:
    return text if not text or text.endswith((".", "!", "?")) else text + "."
