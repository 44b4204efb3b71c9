"""Figures of the last day: the promise, which PostgreSQL and the memory twin keep alike.

A step is known by (subject, time): of several for one of them the one with more samples behind it counts, so that whoever
reads the same seconds again, or only some of them, changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from node_manager.model_figures import Step


@dataclass(frozen=True, slots=True)
class Subject:
    """What was measured. kind: node, app, subsystem or backing; `id` as in contracts.figures, of a node Swarm's."""

    id: str
    kind: str
    service: str = ""
    workspace: str = ""
    deployment: str = ""
    generation: int = 0
    node: str = ""


Row = tuple[Subject, Step]


class FigureHistory(Protocol):
    """Safe to share between threads. Every verb may raise Unavailable."""

    def prepare(self, now: datetime) -> None:
        """Makes the home where it is missing, and room for the hours ahead. Also by several replicas at once, also again."""

    def write(self, rows: Sequence[Row], offsets: Mapping[int, int]) -> None:
        """Keeps the rows and, in the same step, from where to go on (partition -> next offset), which never goes back.

        Unavailable: of both nothing is known; write them again.
        """

    def offsets(self) -> dict[int, int]:
        """partition -> the next offset to read; a partition never written is not in it."""

    def subject(self, id: str) -> Subject | None:
        """As it was last written; None: nothing of it is kept."""

    def steps(self, id: str, since: datetime, until: datetime, seconds: int) -> list[Step]:
        """since <= time < until, joined into steps of so many seconds, which begin at multiples since 1970. None is empty."""

    def forget(self, before: datetime) -> int:
        """Drops whole hours that ended at or before `before`, and subjects last seen before it; how many hours."""
