"""Lines in PostgreSQL: COPY into a staging table, then lines and offsets in one transaction; found by plain indexes and trigrams."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from backbone.logs import get_log
from backbone.tables import Pool
from backbone.tables.partitions import Partitions
from backbone.tables.postgres import SQL, Identifier
from contracts.errors import Unavailable
from logger import schema
from logger.model import Cursor, Entry, Filter, Shards, Shown, shown
from logger.store import Span
from logger.where import Where

log = get_log()
AHEAD = 2


class PostgresLines:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._days = Partitions(pool, schema.CUT)
        self._made = False

    def prepare(self, now: datetime) -> None:
        if not self._made:
            with self._pool.transaction() as tx:
                tx.execute("SELECT pg_advisory_xact_lock(%s)", (schema.LOCK,))
                for statement in schema.TABLES:
                    tx.execute(statement)
            self._index_text()
            self._made = True
        self._days.make([now + timedelta(days=n) for n in range(AHEAD)])

    def write(self, entries: Sequence[Entry], shards: Shards) -> int:
        """Another replica may have dropped a day that is known here: then it is made again, once."""
        first = list({(one.cursor.source, one.cursor.position): one for one in reversed(entries)}.values())[::-1]
        try:
            return self._write(first, shards)
        except Unavailable:
            raise
        except Exception:
            self._days.anew()
            return self._write(first, shards)

    def _write(self, entries: Sequence[Entry], shards: Shards) -> int:
        self._days.make([one.line.time for one in entries])
        rows = [(n, *_row(one)) for n, one in enumerate(entries)]
        with self._pool.transaction() as tx:
            new = 0
            if rows:
                tx.execute(schema.STAGE)
                tx.copy(schema.STAGING, ("n", *schema.COLUMNS), rows, schema.BINARY)
                new = tx.execute(schema.KEEP)
                tx.execute(schema.KEEP_SOURCES)
            if shards:
                tx.executemany(schema.KEEP_OFFSET, sorted(shards.items()))
        return new

    def shards(self) -> dict[int, int]:
        return dict(self._pool.query("SELECT partition, next FROM logger.offsets"))

    def find(self, filter: Filter, after: Cursor | None, newest: bool, limit: int) -> list[Shown]:
        where = Where(filter).beyond(after, newest)
        return _shown(self._pool.query(_selected(where, newest, limit), where.values))

    def counts(self, filter: Filter, seconds: int) -> dict[tuple[datetime, int], int]:
        where = Where(filter)
        rows = self._pool.query(schema.COUNTS.format(where.text), {**where.values, "step": seconds})
        return {(time, level): count for time, level, count in rows}

    def span(self, filter: Filter, low: Shards, high: Shards | None, after: Cursor | None, most: int) -> Span:
        where, left_out = Where(filter).between(low, high).beyond(after, newest=False), 0
        with self._pool.transaction() as tx:
            tx.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            tx.execute("SELECT partition, next FROM logger.offsets")
            shards: dict[int, int] = dict(tx.fetch())
            tx.execute(_selected(where, True, most), where.values)
            found = _shown(tx.fetch())
            if low and len(found) == most:
                tx.execute(f"SELECT count(*) FROM logger.lines WHERE {where.text}", where.values)
                left_out = tx.fetch()[0][0] - most
        return Span(found[::-1], left_out, shards)

    def forget(self, before: datetime) -> list[str]:
        gone = self._drop(self._days.ended((name for name, _ in self._kept_days()), before))
        if gone:
            self._pool.query("DELETE FROM logger.sources WHERE seen < %s", (before,))
        return gone

    def shrink(self, bytes: int) -> list[str]:
        days = self._kept_days()
        left, old = sum(size for _, size in days), []
        for name, size in days:
            if left > bytes:
                old.append(name)
                left -= size
        return self._drop(old)

    def _kept_days(self) -> list[tuple[str, int]]:
        return [(name, size) for name, size in self._pool.query(schema.DAYS)]

    def _drop(self, names: Iterable[str]) -> list[str]:
        return [begin.date().isoformat() for begin in self._days.drop(names)]

    def _index_text(self) -> None:
        """Without the extension text is looked for line by line, the newest first."""
        with self._pool.transaction() as tx:
            tx.execute("SELECT pg_advisory_xact_lock(%s)", (schema.LOCK,))
            tx.execute(schema.TRIGRAMS_MAY)
            if tx.fetch():
                tx.execute(schema.TRIGRAMS_ADD)
            tx.execute(schema.TRIGRAMS_IN)
            for (home,) in tx.fetch():
                tx.execute(SQL(schema.TRIGRAMS).format(Identifier(home)))
                return
        log.warning("lines_without_trigrams", hint="let the role `logger` create the extension pg_trgm: text is searched slowly without")


def _selected(where: Where, newest: bool, limit: int) -> str:
    way = "DESC" if newest else "ASC"
    order = f"time {way}, source {way}, position {way}"
    return f"SELECT {schema.ALL} FROM logger.lines WHERE {where.text} ORDER BY {order} LIMIT {int(limit)}"


def _row(one: Entry) -> tuple[Any, ...]:
    s = shown(one)
    return (s.cursor.time, s.cursor.source, s.cursor.position, s.shard, s.place, s.kind, s.level, s.text, s.workspace, s.app,
            s.deployment, s.generation, s.release, s.service, s.instance, s.node, s.correlation, s.facts)  # fmt: skip


def _shown(rows: Iterable[tuple[Any, ...]]) -> list[Shown]:
    return [Shown(Cursor(*row[:3]), *row[3:]) for row in rows]
