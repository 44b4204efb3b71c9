"""Carries readings from Kafka into their home, each once: where to go on is kept in the same transaction as the readings."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from backbone.bus.raw import Place, Record, RecordConsumer, Records
from backbone.clock import Clock
from backbone.logs import get_log
from contracts.errors import Invalid, Unavailable
from contracts.topics import READINGS
from sensor_manager.reading import as_json, unpacked
from sensor_manager.storage import ReadingStore, Stored

log = get_log()
MOST = 5_000
AT_ONCE = 0.8  # seconds of work before the loop beats again
PAUSE = 1.0


class Writer:
    """`work` is called again and again by one thread. `stored`, `doubled` and `buried` count since the start."""

    def __init__(self, records: Records, store: ReadingStore, clock: Clock, group: str) -> None:
        self._records, self._store, self._clock, self._group = records, store, clock, group
        self._consumer: RecordConsumer | None = None
        self._batch: list[Record] = []
        self.stored = self.doubled = self.buried = 0
        self.away = "not started"
        self._pause_until = 0.0

    def open(self) -> None:
        """Unavailable: the home or Kafka is away."""
        self._store.prepare(self._clock.now())
        self._consumer = self._records.consumer(self._group, [READINGS], gained=self._gained)
        self.away = ""

    def work(self, seconds: float = 0.0) -> None:
        """All there is, or as much as fits into AT_ONCE, waiting so long for the first. A batch that could not be written is
        written again first."""
        began = self._clock.monotonic()
        if began < self._pause_until:
            return self._clock.sleep(min(seconds, self._pause_until - began))
        try:
            if self._consumer is None:
                self.open()
            while self._one_batch(seconds) and self._clock.monotonic() < began + AT_ONCE:
                seconds = 0.0
        except Unavailable as error:
            self.away, self._pause_until = error.detail, began + PAUSE
            raise

    def forget(self, days: float) -> None:
        """Drops the days that are older."""
        gone = self._store.forget(self._clock.now() - timedelta(days=days))
        if gone:
            log.info("readings_forgotten", days=gone)

    def close(self) -> None:
        if self._consumer is not None:
            self._consumer.close()

    def _one_batch(self, seconds: float) -> bool:
        """False: there was nothing."""
        assert self._consumer is not None
        self._batch = self._batch or self._consumer.poll(MOST, seconds)
        if not self._batch:
            self.away = ""
            return False
        self._write(self._batch)
        self._batch, self.away = [], ""
        return True

    def _gained(self, places: list[Place]) -> Mapping[Place, int]:
        kept = self._store.offsets()
        log.info("readings_partitions", partitions=[number for _, number in places])
        return {place: kept[place[1]] for place in places if place[1] in kept}

    def _write(self, batch: list[Record]) -> None:
        readings: list[Stored] = []
        offsets: dict[int, int] = {}
        for record in batch:
            offsets[record.partition] = record.offset + 1
            readings += self._read(record)
        try:
            new = self._store.write(readings, offsets)
        except Unavailable:
            raise
        except Exception:
            log.exception("readings_batch_broken", readings=len(readings))
            new = self._write_singly(readings, offsets)
        self.stored += new
        self.doubled += len(readings) - new

    def _read(self, record: Record) -> list[Stored]:
        try:
            return [Stored(r.s, r.time, r.v, r.o) for r in unpacked(record.value)]
        except (Invalid, OverflowError) as error:
            self._bury(record.key, record.value, str(error))
            return []

    def _write_singly(self, readings: list[Stored], offsets: Mapping[int, int]) -> int:
        """So that one reading nobody can write does not hold up all that come after it."""
        new = 0
        for reading in readings:
            try:
                new += self._store.write([reading], {})
            except Unavailable:
                raise
            except Exception as error:
                self._bury(reading.sensor.encode(), as_json(reading), str(error))
        self._store.write([], offsets)
        return new

    def _bury(self, key: bytes, value: bytes, reason: str) -> None:
        self.buried += 1
        log.error("reading_dead_letter", key=key.decode("utf-8", "replace"), reason=reason)
        self._records.send(READINGS.dead, key, value, lambda error: None)
        self._records.poll(0)
