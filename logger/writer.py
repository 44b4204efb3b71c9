"""Carries lines from Kafka into their home, each once: where to go on is kept in the same transaction as the lines.

It says nothing of what goes well: each of its own lines comes back to it as one more to keep.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from backbone.bus.raw import Place, Record, RecordConsumer, Records
from backbone.clock import Clock
from backbone.logs import get_log
from contracts.errors import Invalid, Unavailable
from contracts.topics import LINES
from logger.arrived import arrived
from logger.model import Entry
from logger.store import LineStore

log = get_log()
MOST, LEAST = 5_000, 50
FEW = 100
CLOSE = 0.05  # seconds: while much is fetched, a moment without any does not say that it is all
AT_ONCE = 0.8  # seconds of work before the loop beats again
PAUSE = 1.0


class Writer:
    """`work` and `look_after` are called again and again by one thread. `kept`, `doubled`, `unreadable`, `late` count since the start."""

    def __init__(self, records: Records, store: LineStore, clock: Clock, group: str, days: float, bytes: int) -> None:
        self._records, self._store, self._clock, self._group = records, store, clock, group
        self._keep, self._bytes = timedelta(days=days), bytes
        self._consumer: RecordConsumer | None = None
        self._batch: list[Record] = []
        self._most, self._pause_until = MOST, 0.0
        self.kept = self.doubled = self.unreadable = self.late = 0
        self.away = "not started"

    def open(self) -> None:
        """Unavailable: the home or Kafka is away."""
        self._store.prepare(self._clock.now())
        self._consumer = self._records.consumer(self._group, [LINES], gained=self._gained)
        self.away = ""

    def work(self) -> None:
        """All there is, or as much as fits into AT_ONCE. A batch that could not be written is written again first."""
        began = self._clock.monotonic()
        if began < self._pause_until:
            return
        try:
            if self._consumer is None:
                self.open()
            wait = 0.0
            while self._one_batch(wait) and self._clock.monotonic() < began + AT_ONCE:
                wait = CLOSE
        except Unavailable as error:
            self.away, self._pause_until, self._most = error.detail, began + PAUSE, max(LEAST, self._most // 2)
            raise

    def look_after(self) -> None:
        """Room for tomorrow; days that are too old go, and the oldest where all together are too large."""
        self._store.prepare(self._clock.now())
        if old := self._store.forget(self._clock.now() - self._keep):
            log.info("lines_forgotten", days=old, reason=f"older than BERTH_LINES_DAYS={self._keep.days}")
        if old := self._store.shrink(self._bytes):
            log.warning("lines_forgotten", days=old, reason=f"all together took more than BERTH_LINES_BYTES={self._bytes}",
                        hint="raise BERTH_LINES_BYTES, or find who prints so much: GET /api/v1/lines/counts")  # fmt: skip

    def close(self) -> None:
        if self._consumer is not None:
            self._consumer.close()

    def _one_batch(self, wait: float) -> bool:
        """Whether more may come at once. A few that come behind many stay in hand until the next look, and go with its lines.

        What could not be written goes in smaller parts: it may have taken too long.
        """
        assert self._consumer is not None
        if len(self._batch) < MOST:
            self._batch = [*self._batch, *self._consumer.poll(MOST - len(self._batch), wait)]
        if len(self._batch) <= (FEW if wait else 0):
            return False
        part = self._batch[: self._most]
        self._write(part)
        self._batch, self.away, self._most = self._batch[len(part) :], "", min(MOST, self._most * 2)
        return bool(self._batch) or len(part) > FEW

    def _gained(self, places: list[Place]) -> Mapping[Place, int]:
        kept = self._store.shards()
        log.info("lines_partitions", partitions=[number for _, number in places])
        return {place: kept[place[1]] for place in places if place[1] in kept}

    def _write(self, batch: Sequence[Record]) -> None:
        shards = {record.partition: record.offset + 1 for record in batch}
        entries, refused = self._read(batch)
        try:
            new = self._store.write(entries, shards)
        except Unavailable:
            raise
        except Exception:
            log.exception("lines_batch_broken", lines=len(entries))
            new = self._halves(entries)
            self._store.write([], shards)
        self.kept += new
        self.doubled += len(entries) - new
        if refused:
            self.unreadable += len(refused)
            log.warning("lines_unreadable", count=len(refused), since_start=self.unreadable, first=refused[0])

    def _read(self, batch: Sequence[Record]) -> tuple[list[Entry], list[str]]:
        """What is older than what is kept would be dropped within the minute."""
        oldest, entries, refused = self._clock.now() - self._keep - timedelta(days=1), [], []
        for record in batch:
            try:
                one = arrived(record)
            except Invalid as error:
                refused.append(error.detail)
                continue
            if one.line.time < oldest:
                self.late += 1
            else:
                entries.append(one)
        return entries, refused

    def _halves(self, entries: Sequence[Entry]) -> int:
        """So that one line nobody can write does not hold up all that come after it."""
        new = 0
        for half in (entries[: len(entries) // 2], entries[len(entries) // 2 :]):
            if not half:
                continue
            try:
                new += self._store.write(half, {})
            except Unavailable:
                raise
            except Exception as error:
                if len(half) > 1:
                    new += self._halves(half)
                else:
                    self.unreadable += 1
                    log.error("line_lost", instance=half[0].line.instance, position=half[0].line.position, reason=str(error)[:500])
        return new
