"""Every error as RFC 9457 problem+json, the same from Flask and from the live routes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import to_json

from backbone.context import current
from backbone.logs import get_log
from contracts.errors import BerthError, Invalid, Problem, Refused, TooLarge, TooMany, Unavailable

log = get_log()
JSON_PROBLEM = "application/problem+json"

SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}


class ProblemBody(BaseModel):
    """What an error answer holds: what, why, what to do, and under which correlation id the logs tell more."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str = ""
    correlation: str = ""
    errors: list[Problem] = []


Answered = tuple[int, dict[str, str], bytes]
"""Status, headers, body."""


def problem(
    status: int,
    detail: str = "",
    errors: Sequence[Problem] = (),
    kind: str = "about:blank",
    headers: dict[str, str] | None = None,
) -> Answered:
    body = ProblemBody(
        type=kind,
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        correlation=current().correlation,
        errors=list(errors),
    )
    return status, {**(headers or {}), "Content-Type": JSON_PROBLEM}, to_json(body, serialize_unknown=True)


def problem_of(error: BaseException) -> Answered:
    """A BerthError says itself; anything else is a bug: logged with its traceback, and nothing of it is shown."""
    if not isinstance(error, BerthError):
        log.error("request_broken", exc_info=error)
        return problem(500, "This is a mistake in Berth; the log tells more under this correlation id.")
    headers = {}
    if isinstance(error, Refused):
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, TooMany):
        headers["Retry-After"] = str(max(1, round(error.wait)))
    if isinstance(error, Unavailable):
        headers["Retry-After"] = "1"
    if isinstance(error, TooLarge):
        headers["Connection"] = "close"
    kind = "urn:berth:" + re.sub(r"(?<=[a-z])(?=[A-Z])", "-", type(error).__name__).lower()
    return problem(error.status, error.detail, error.problems if isinstance(error, Invalid) else (), kind, headers)


def problems_of(error: ValidationError, where: str) -> list[Problem]:
    """`input` of a missing field is its whole parent and of a secret one a secret: left out."""
    return [
        Problem(
            path=".".join(str(part) for part in (where, *found["loc"])),
            value=_shown(found),
            rule=found["msg"],
            hint="Leave it out." if found["type"] == "extra_forbidden" else "",
        )
        for found in error.errors(include_url=False, include_context=False)
    ]


def _shown(found: Any) -> Any:
    if found["type"] == "missing" or any(
        str(part).lower() in ("password", "token", "refresh_token") for part in found["loc"]
    ):
        return None
    value = found["input"]
    return value if isinstance(value, str | int | float | bool | None) else type(value).__name__
