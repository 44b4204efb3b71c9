"""Readings in PostgreSQL: COPY into a staging table, then readings, latest and offsets in one transaction."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from backbone.tables import Pool, Transaction
from backbone.tables.partitions import Partitions
from backbone.tables.postgres import Jsonb
from sensor_manager.storage import Bucket, Stored, schema

AHEAD = 7
MOST_NUMBERS = 1_000_000
TYPES = ("int4", "int8", "timestamptz", "float8", "jsonb")


class PostgresReadings:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._numbers: dict[str, int] = {}
        self._days = Partitions(pool, schema.CUT)
        self._lock = threading.Lock()

    def prepare(self, now: datetime) -> None:
        with self._pool.transaction() as tx:
            tx.execute("SELECT pg_advisory_xact_lock(%s)", (schema.LOCK,))
            for statement in schema.TABLES:
                tx.execute(statement)
        self._days.make([now + timedelta(days=n) for n in range(AHEAD)])

    def write(self, readings: Sequence[Stored], offsets: Mapping[int, int]) -> int:
        self._days.make([reading.time for reading in readings])
        numbers = self._numbered({reading.sensor for reading in readings})
        rows = [(n, numbers[r.sensor], r.time, r.number, None if r.number is not None else Jsonb(r.other))
                for n, r in enumerate(readings)]
        with self._pool.transaction() as tx:
            new = _kept(tx, rows) if rows else 0
            if offsets:
                tx.executemany(schema.KEEP_OFFSET, sorted(offsets.items()))
        return new

    def offsets(self) -> dict[int, int]:
        return dict(self._pool.query("SELECT partition, next FROM sensor_manager.offsets"))

    def latest(self, sensors: Sequence[str]) -> dict[str, Stored]:
        rows = self._pool.query(schema.LATEST, (list(sensors),)) if sensors else []
        return {sensor: Stored(sensor, time, number, other) for sensor, time, number, other in rows}

    def history(self, sensor: str, since: datetime, until: datetime, limit: int) -> list[Stored]:
        number = self._number(sensor)
        if number is None:
            return []
        rows = self._pool.query(schema.HISTORY, (number, since, until, limit))
        return [Stored(sensor, time, value, other) for time, value, other in rows]

    def buckets(self, sensor: str, since: datetime, until: datetime, seconds: int) -> list[Bucket]:
        number = self._number(sensor)
        if number is None:
            return []
        return [Bucket(*row) for row in self._pool.query(schema.BUCKETS, (seconds, number, since, until))]

    def forget(self, before: datetime) -> int:
        return len(self._days.drop(self._days.ended((name for (name,) in self._pool.query(schema.DAYS)), before)))

    def _numbered(self, sensors: set[str]) -> dict[str, int]:
        """Each sensor's number, given where it has none; committed on its own, so that no number kept here can be undone."""
        missing = sorted(sensors - self._numbers.keys())
        if missing:
            self._pool.query("INSERT INTO sensor_manager.sensors (sensor) SELECT unnest(%s::text[]) ON CONFLICT DO NOTHING", (missing,))
            found = self._pool.query("SELECT sensor, number FROM sensor_manager.sensors WHERE sensor = ANY(%s)", (missing,))
            with self._lock:
                if len(self._numbers) > MOST_NUMBERS:
                    self._numbers = {}
                self._numbers |= dict(found)
        return self._numbers if not missing else {**self._numbers}

    def _number(self, sensor: str) -> int | None:
        number = self._numbers.get(sensor)
        if number is None:
            rows = self._pool.query("SELECT number FROM sensor_manager.sensors WHERE sensor = %s", (sensor,))
            number = rows[0][0] if rows else None
            if number is not None:
                self._numbers[sensor] = number
        return number


def _kept(tx: Transaction, rows: Sequence[tuple[Any, ...]]) -> int:
    tx.execute(schema.STAGE)
    tx.copy(schema.STAGING, schema.STAGE_COLUMNS, rows, TYPES)
    new = tx.execute(schema.KEEP)
    tx.execute(schema.KEEP_LATEST)
    return new
