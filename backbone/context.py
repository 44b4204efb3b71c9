"""Whose action the code is working on: the correlation id travels with it through handlers, routes, logs and messages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from itertools import count


@dataclass(frozen=True)
class Action:
    """`cause` is the id of the message in hand ("" in a route); `positions` numbers what this action says."""

    correlation: str = ""
    cause: str = ""
    workspace: str = ""
    actor: str = ""
    positions: Iterator[int] = field(default_factory=count, compare=False, repr=False)


NOTHING = Action()
_current: ContextVar[Action] = ContextVar("action", default=NOTHING)


def current() -> Action:
    return _current.get()


@contextmanager
def acting(action: Action) -> Iterator[Action]:
    token = _current.set(action)
    try:
        yield action
    finally:
        _current.reset(token)
