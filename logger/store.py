"""Lines kept for some days: the promise, which PostgreSQL and the memory twin keep alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from backbone.backbone import Backbone
from logger.model import Cursor, Entry, Filter, Shards, Shown


@dataclass(frozen=True)
class Span:
    """Lines in order of time; `left_out` older ones were too many (not counted where the span has no `low`).

    `shards` is how far the topic was kept at that moment.
    """

    lines: list[Shown]
    left_out: int
    shards: dict[int, int]


class LineStore(Protocol):
    """Safe to share between threads. Every verb may raise Unavailable.

    A line is known by (source, position): of several the first that was written stays. Its order is its cursor's.
    """

    def prepare(self, now: datetime) -> None:
        """Makes the home where it is missing, and room for the days ahead (other days get theirs when a line needs it).

        Also by several replicas at once, also again.
        """

    def write(self, entries: Sequence[Entry], shards: Shards) -> int:
        """Keeps the lines and, in the same step, from where to go on in the topic. How many were new.

        Offsets never go back. Unavailable: of both nothing is known; write them again.
        """

    def shards(self) -> dict[int, int]:
        """Partition -> the offset to go on from; one never written is not in it."""

    def find(self, filter: Filter, after: Cursor | None, newest: bool, limit: int) -> list[Shown]:
        """The newest (or oldest) first; with `after` those that come after it in that direction."""

    def counts(self, filter: Filter, seconds: int) -> dict[tuple[datetime, int], int]:
        """(begin of the bucket, level) -> how many; buckets begin at multiples of `seconds` since 1970. None is 0.

        The filter has `since` and `until`.
        """

    def span(self, filter: Filter, low: Shards, high: Shards | None, after: Cursor | None, most: int) -> Span:
        """Of the lines that came at `low` or later (and before `high`), behind `after`, the newest `most`, all at one moment."""

    def forget(self, before: datetime) -> list[str]:
        """Drops whole days (UTC) that ended at or before `before`; which (2026-11-28)."""

    def shrink(self, bytes: int) -> list[str]:
        """Drops the oldest days until what is kept takes no more than so many bytes; which. The last one goes too."""


def open_lines(backbone: Backbone) -> LineStore:
    """PostgreSQL, or in a memory world the twin that its subsystems share."""
    if backbone.tables is None:
        from logger.memory import MemoryLines

        shared: LineStore = backbone.parts.extra.setdefault("lines", MemoryLines())
        return shared
    from logger.postgres import PostgresLines

    return PostgresLines(backbone.tables)
