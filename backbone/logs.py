"""JSON lines on standard out: the event's name in snake case, facts as keys, the correlation id of the action in hand."""

from __future__ import annotations

import logging
import re
import sys
import threading
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any

import structlog

from backbone.clock import SystemClock
from backbone.context import current

NUMBER = re.compile(r"\d+")
MOST = 100
"""Different words remembered."""
_facts: dict[str, Any] = {}


def _action(_: Any, __: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    action = current()
    if action.correlation:
        event.setdefault("correlation", action.correlation)
    if action.workspace:
        event.setdefault("workspace", action.workspace)
    return {**_facts, **event}


class Seldom:
    """The same words, but for their numbers, once in `seconds`: a library that tries again and again says each time why it failed.

    Safe to share between threads.
    """

    def __init__(self, seconds: float = 30.0, now: Callable[[], float] | None = None) -> None:
        self._seconds, self._now = seconds, now or SystemClock().monotonic
        self._said: dict[str, tuple[float, int]] = {}
        self._lock = threading.Lock()

    def __call__(self, words: str) -> dict[str, int] | None:
        """None: not now. Else what is to be said with it: how often it was not said since it last was."""
        key, now = NUMBER.sub("#", words), self._now()
        with self._lock:
            at, unsaid = self._said.get(key, (-self._seconds, 0))
            if now - at < self._seconds:
                self._said[key] = at, unsaid + 1
                return None
            if len(self._said) >= MOST:
                self._said = {words: told for words, told in self._said.items() if now - told[0] < self._seconds}
            self._said[key] = now, 0
        return {"unsaid": unsaid} if unsaid else {}


class _Libraries(logging.Handler):
    """What libraries say in their own way, as lines of ours."""

    def __init__(self) -> None:
        super().__init__()
        self._seldom = Seldom()

    def emit(self, record: logging.LogRecord) -> None:
        log = structlog.get_logger()
        say = log.error if record.levelno >= logging.ERROR else log.warning
        text = record.getMessage()
        if (more := self._seldom(f"{record.name} {text}")) is not None:
            say("library_said", library=record.name, text=text, **more)


def set_up(subsystem: str, replica: str, **facts: Any) -> None:
    """Once per process; `facts` stand on every line."""
    _facts.update({"subsystem": subsystem, "replica": replica, **facts})
    logging.basicConfig(handlers=[_Libraries()], level=logging.WARNING, force=True)


structlog.configure(
    processors=[
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        structlog.processors.format_exc_info,
        _action,
        structlog.processors.JSONRenderer(),
    ],
    logger_factory=structlog.WriteLoggerFactory(file=sys.stdout),
    cache_logger_on_first_use=True,
)


def get_log() -> Any:
    return structlog.get_logger()
