"""What the parts of a platform in one process print, as lines of theirs: what the agents do where there are containers."""

from __future__ import annotations

from collections import deque
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import structlog

from contracts.lines import LEVELS, Line
from tests.scenarios.memory_world import MemoryWorld
from tests.support.house import ROOT, SUBSYSTEMS
from tests.support.lines import send

OWN = ("level", "time", "event", "correlation", "pathname")
ROLES = ("intake", "storage", "streams", "agent")


class Printed:
    """Made before anything is printed; `send` gives what came since to the logger's topic."""

    def __init__(self) -> None:
        self._heard: deque[dict[str, Any]] = deque(maxlen=5000)
        self._said = 0
        *before, last = structlog.get_config()["processors"]
        where = structlog.processors.CallsiteParameterAdder([structlog.processors.CallsiteParameter.PATHNAME])
        structlog.configure(processors=[*before, where, self._hear, last])

    def _hear(self, _: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        self._heard.append(dict(event))
        event.pop("pathname", None)
        return event

    def send(self, world: MemoryWorld) -> None:
        lines = []
        while self._heard:
            lines.append(self._line(world, self._heard.popleft()))
        if lines:
            send(world.platform.records, lines)

    def _line(self, world: MemoryWorld, event: dict[str, Any]) -> Line:
        self._said += 1
        level, service = event.get("level", "info"), part_of(event.get("pathname", ""))
        return Line(
            source="printed", position=self._said, time=world.platform.clock.now(), kind="subsystem", service=service, instance=service,
            level=level if level in LEVELS else "info", text=str(event["event"]), correlation=event.get("correlation", ""), node="node1",
            facts={k: v if isinstance(v, (str, int, float, bool)) else str(v) for k, v in event.items() if k not in OWN},
        )  # fmt: skip


def part_of(path: str) -> str:
    """The subsystem whose code spoke, with the role where its file says it."""
    file = Path(path)
    within = file.relative_to(ROOT).parts if file.is_relative_to(ROOT) else ()
    if not within or within[0] not in SUBSYSTEMS:
        return "backbone"
    return ".".join([within[0], *(role for role in ROLES if role in within[1].replace(".py", "").split("_"))])
