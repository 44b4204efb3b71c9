"""JSON lines on standard out: the event's name in snake case, facts as keys, the correlation id of the action in hand."""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog

from backbone.context import current

_facts: dict[str, Any] = {}


def _action(_: Any, __: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    action = current()
    if action.correlation:
        event.setdefault("correlation", action.correlation)
    if action.workspace:
        event.setdefault("workspace", action.workspace)
    return {**_facts, **event}


class _Libraries(logging.Handler):
    """What libraries say in their own way, as lines of ours."""

    def emit(self, record: logging.LogRecord) -> None:
        log = structlog.get_logger()
        say = log.error if record.levelno >= logging.ERROR else log.warning
        say("library_said", library=record.name, text=record.getMessage())


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
