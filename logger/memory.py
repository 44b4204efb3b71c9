"""The lines' memory twin: one dict, one lock."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from logger.model import EPOCH, Cursor, Entry, Filter, Shards, Shown, shown
from logger.store import Span


class MemoryLines:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[tuple[int, int], Entry] = {}
        self._shards: dict[int, int] = {}

    def prepare(self, now: datetime) -> None:
        """There is always room."""

    def write(self, entries: Sequence[Entry], shards: Shards) -> int:
        with self._lock:
            before = len(self._kept)
            for one in entries:
                self._kept.setdefault((one.cursor.source, one.cursor.position), one)
            for shard, at in shards.items():
                self._shards[shard] = max(at, self._shards.get(shard, 0))
            return len(self._kept) - before

    def shards(self) -> dict[int, int]:
        with self._lock:
            return dict(self._shards)

    def find(self, filter: Filter, after: Cursor | None, newest: bool, limit: int) -> list[Shown]:
        found = sorted(self._taken(filter), key=lambda one: one.cursor, reverse=newest)
        return [shown(e) for e in found if after is None or (e.cursor < after if newest else e.cursor > after)][:limit]

    def counts(self, filter: Filter, seconds: int) -> dict[tuple[datetime, int], int]:
        span = timedelta(seconds=seconds)
        found = (shown(one) for one in self._taken(filter))
        return dict(Counter((EPOCH + (one.cursor.time - EPOCH) // span * span, one.level) for one in found))

    def span(self, filter: Filter, low: Shards, high: Shards | None, after: Cursor | None, most: int) -> Span:
        with self._lock:
            found = [
                one
                for one in self._kept.values()
                if one.place >= low.get(one.shard, 0)
                and (high is None or one.place < high.get(one.shard, 0))
                and (after is None or one.cursor > after)
                and filter.takes(one)
            ]
            found.sort(key=lambda one: one.cursor)
            newest = found[max(0, len(found) - most) :]
            return Span([shown(one) for one in newest], len(found) - len(newest) if low else 0, dict(self._shards))

    def forget(self, before: datetime) -> list[str]:
        with self._lock:
            return self._drop({day for day in self._days() if begin_of(day) + timedelta(days=1) <= before})

    def shrink(self, bytes: int) -> list[str]:
        """As if a line took as many bytes as it has letters."""
        gone: list[str] = []
        with self._lock:
            while sum(len(one.searched) for one in self._kept.values()) > bytes:
                gone += self._drop({min(self._days())})
        return gone

    def _days(self) -> set[date]:
        return {_day(one) for one in self._kept.values()}

    def _drop(self, days: set[date]) -> list[str]:
        self._kept = {key: one for key, one in self._kept.items() if _day(one) not in days}
        return [day.isoformat() for day in sorted(days)]

    def _taken(self, filter: Filter) -> list[Entry]:
        with self._lock:
            return [one for one in self._kept.values() if filter.takes(one)]


def _day(one: Entry) -> date:
    return one.cursor.time.astimezone(UTC).date()


def begin_of(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
