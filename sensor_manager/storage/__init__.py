"""Readings kept for good: the promise, which PostgreSQL and the memory twin keep alike.

A reading is known by (sensor, time): of several values for one of them the first wins.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Stored:
    """One reading. `sensor` is the global id; exactly one of `number` (booleans are 0 and 1) and `other` (JSON) counts:
    `number` where it is not None."""

    sensor: str
    time: datetime
    number: float | None
    other: Any = None

    @property
    def value(self) -> Any:
        return self.other if self.number is None else self.number


@dataclass(frozen=True, slots=True)
class Bucket:
    """The numbers of a sensor from `time` on, for the bucket's length."""

    time: datetime
    mean: float
    minimum: float
    maximum: float
    count: int


class ReadingStore(Protocol):
    """Safe to share between threads. Every verb may raise Unavailable."""

    def prepare(self, now: datetime) -> None:
        """Makes the home where it is missing, and room for the week ahead (other days get theirs when a reading needs it).

        Also by several replicas at once, also again.
        """

    def write(self, readings: Sequence[Stored], offsets: Mapping[int, int]) -> int:
        """Keeps the readings and, in the same step, from where to go on (partition -> next offset). How many were new.

        Offsets never go back. Unavailable: of both nothing is known; write them again.
        """

    def offsets(self) -> dict[int, int]:
        """partition -> the next offset to read; a partition never written is not in it."""

    def latest(self, sensors: Sequence[str]) -> dict[str, Stored]:
        """The reading with the greatest time of each sensor that has one."""

    def history(self, sensor: str, since: datetime, until: datetime, limit: int) -> list[Stored]:
        """since <= time < until, in order of time; of more than `limit` the newest."""

    def buckets(self, sensor: str, since: datetime, until: datetime, seconds: int) -> list[Bucket]:
        """Of the numbers with since <= time < until; buckets begin at multiples of `seconds` since 1970. None is empty."""

    def forget(self, before: datetime) -> int:
        """Drops whole days (UTC) that ended at or before `before`; how many. `latest` keeps what it has."""
