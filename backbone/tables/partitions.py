"""Tables kept in spans of time, one partition each, so that what is old is dropped whole."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from backbone.tables import Pool
from backbone.tables.postgres import SQL, Identifier, Literal


@dataclass(frozen=True)
class Cut:
    """How one table is cut: `name` is strftime's form of a partition's name, `length` a day or an hour (UTC).

    `lock` is held while partitions are made: IF NOT EXISTS alone is not safe against two at once. `unique` are columns that
    are unique within a partition (a unique index over all would have to hold the time).
    """

    schema: str
    table: str
    name: str
    length: timedelta
    lock: int
    unique: tuple[str, ...] = ()

    def begin(self, moment: datetime) -> datetime:
        """Of the partition that this moment falls into."""
        utc = moment.astimezone(UTC)
        return utc - (utc - datetime(1970, 1, 1, tzinfo=UTC)) % self.length

    def begin_of(self, name: str) -> datetime:
        return datetime.strptime(name, self.name).replace(tzinfo=UTC)


class Partitions:
    """Those of one table. Safe to share between threads, and with other processes."""

    def __init__(self, pool: Pool, cut: Cut) -> None:
        self._pool, self._cut = pool, cut
        self._made: set[datetime] = set()
        self._lock = threading.Lock()

    def make(self, moments: Sequence[datetime]) -> None:
        """Those that these moments fall into; each is made once, others may make the same one at the same moment."""
        missing = sorted(self._wanted(moments) - self._made) if moments else []
        if not missing:
            return
        cut = self._cut
        with self._pool.transaction() as tx:
            tx.execute("SELECT pg_advisory_xact_lock(%s)", (cut.lock,))
            for begin in missing:
                name = begin.strftime(cut.name)
                made, whole = Identifier(cut.schema, name), Identifier(cut.schema, cut.table)
                span = Literal(begin.isoformat()), Literal((begin + cut.length).isoformat())
                tx.execute(SQL("CREATE TABLE IF NOT EXISTS {} PARTITION OF {} FOR VALUES FROM ({}) TO ({})").format(made, whole, *span))
                if cut.unique:
                    columns = SQL(", ").join([Identifier(column) for column in cut.unique])
                    index = SQL("CREATE UNIQUE INDEX IF NOT EXISTS {} ON {} ({})")
                    tx.execute(index.format(Identifier(f"{name}_once"), made, columns))
        with self._lock:
            self._made |= set(missing)

    def _wanted(self, moments: Sequence[datetime]) -> set[datetime]:
        """Most often all fall into one, and are not looked at one by one."""
        first, last = self._cut.begin(min(moments)), self._cut.begin(max(moments))
        return {first} if first == last else {self._cut.begin(moment) for moment in moments}

    def anew(self) -> None:
        """Looks again before it believes that one is there: somebody else may have dropped it."""
        with self._lock:
            self._made = set()

    def ended(self, names: Iterable[str], before: datetime) -> list[str]:
        """Those of these that ended at or before then."""
        return [name for name in names if self._cut.begin_of(name) + self._cut.length <= before]

    def drop(self, names: Iterable[str]) -> list[datetime]:
        """Where each of them began."""
        gone = []
        for name in names:
            self._pool.query(SQL("DROP TABLE IF EXISTS {}").format(Identifier(self._cut.schema, name)))
            gone.append(self._cut.begin_of(name))
        with self._lock:
            self._made -= set(gone)
        return gone
