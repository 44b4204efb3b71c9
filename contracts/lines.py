"""One log line as it travels on the topic `lines` and is kept: what the agents and the deployer write, and the logger reads."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

LEVELS = ("debug", "info", "warning", "error", "critical")
LONGEST = 16 * 1024
"""Characters of `text`; what is longer is cut there and ends in a sign that it was."""

LOG_FILES = {"max-size": "10m", "max-file": "5"}
"""What Docker keeps of each container's printed lines until Kafka has them: at most 50 MB a container, the oldest go first."""

LineKind = Literal["subsystem", "app", "build", "backing"]
Level = Literal["debug", "info", "warning", "error", "critical"]


class Line(BaseModel):
    """(source, position) names it for ever: whoever reads the same place again says the same line again, and it is kept once.

    `source` is the container (or `build:<release>`), `position` grows within it. `service` is an app's service, a
    subsystem with its role (`sensor_manager.intake`), or a backing service; `instance` the instance's or replica's id.
    `facts` are what a structured line carried beside its text.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")
    source: str
    position: int
    time: datetime
    kind: LineKind
    level: Level = "info"
    text: str = Field(max_length=LONGEST)
    workspace: str = ""
    app: str = ""
    deployment: str = ""
    generation: int = 0
    release: str = ""
    service: str = ""
    instance: str = ""
    node: str = ""
    correlation: str = ""
    facts: dict[str, Any] = {}

    @property
    def key(self) -> bytes:
        """Lines of one source stay in order."""
        return self.source.encode()

    def encoded(self) -> bytes:
        return self.model_dump_json(exclude_defaults=True).encode()

    @classmethod
    def decoded(cls, raw: bytes) -> Line:
        """Raises pydantic.ValidationError where it is no line."""
        return cls.model_validate_json(raw)
