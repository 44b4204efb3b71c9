"""Charts over a span of time that ends now: what figures of nodes and of instances are drawn on alike. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class Span:
    """`seconds` in steps of `step` seconds."""

    key: str
    name: str
    seconds: int
    step: int

    def grid(self, now: datetime) -> list[int]:
        """The moments of its steps, the last one is the step that goes on."""
        end = int(now.timestamp()) // self.step * self.step
        return list(range(end - self.seconds + self.step, end + self.step, self.step))


@dataclass(frozen=True)
class Chart:
    """`said` is the sentence for who cannot see it."""

    key: str
    title: str
    note: str
    data: dict[str, Any]
    said: str
