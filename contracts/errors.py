"""The errors that parts treat differently; a class exists only where someone does.

BerthError
 +- Invalid       the input breaks a rule: 422, a dead letter; says every problem at once
 +- Refused       no or bad credentials: 401
 +- Forbidden     known, and not allowed: 403
 +- NotFound      not there, or not yours to know of: 404
 +- Conflict      the state forbids it now: 409
 +- Taken         the id or a unique key is in use: 409
 +- TooLarge      over a size limit: 413
 +- TooMany       over a rate limit: 429, with seconds to wait
 +- Unavailable   a backing service or a peer is away, nothing is known of the write: 503, tried again
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict


class Problem(BaseModel):
    """One thing wrong with the input.

    path is where (dotted; an entry's name for a zip), line the 1-based line where there is one, value what was written,
    rule a sentence that says the rule, hint what to do.
    """

    model_config = ConfigDict(frozen=True)

    path: str
    line: int | None = None
    value: Any = None
    rule: str
    hint: str = ""


class BerthError(Exception):
    """`detail` is a sentence for a person: cause, consequence, next step."""

    status = 500

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail)
        self.detail = detail


class Invalid(BerthError, ValueError):
    status = 422

    def __init__(self, detail: str, problems: Sequence[Problem] = ()) -> None:
        super().__init__(detail)
        self.problems = tuple(problems)


class Refused(BerthError):
    status = 401


class Forbidden(BerthError):
    status = 403


class NotFound(BerthError):
    status = 404


class Conflict(BerthError):
    status = 409


class Taken(BerthError):
    status = 409


class TooLarge(BerthError):
    status = 413


class TooMany(BerthError):
    status = 429

    def __init__(self, detail: str, wait: float) -> None:
        super().__init__(detail)
        self.wait = wait


class Unavailable(BerthError):
    status = 503
