"""Figures in PostgreSQL: steps, subjects and where to go on in one transaction; old hours are dropped whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple
from datetime import datetime, timedelta

from backbone.tables import Pool, Transaction
from backbone.tables.partitions import Partitions
from backbone.tables.postgres import SQL, Identifier
from node_manager.history import Row, Subject, schema
from node_manager.history.memory import hour_of
from node_manager.model_figures import Step

AHEAD = 3
HOUR = timedelta(hours=1)


class PostgresHistory:
    """`write` is called by one thread, everything else by any."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._numbers: dict[str, tuple[int, datetime, str]] = {}
        self._hours = Partitions(pool, schema.CUT)

    def prepare(self, now: datetime) -> None:
        with self._pool.transaction() as tx:
            tx.execute("SELECT pg_advisory_xact_lock(%s)", (schema.LOCK,))
            tx.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", (schema.SCHEMA,))
            if not tx.fetch():
                tx.execute(SQL("CREATE SCHEMA {}").format(Identifier(schema.SCHEMA)))
            for statement in schema.TABLES:
                tx.execute(statement)
        self._hours.make([now + n * HOUR for n in range(AHEAD)])

    def write(self, rows: Sequence[Row], offsets: Mapping[int, int]) -> None:
        self._hours.make([step.time for _, step in rows])
        with self._pool.transaction() as tx:
            numbers = _numbered(tx, self._numbers, rows)
            if rows:
                tx.executemany(schema.KEEP, sorted((numbers[subject.id][0], *astuple(step)) for subject, step in rows))
            if offsets:
                tx.executemany(schema.KEEP_OFFSET, sorted(offsets.items()))
        self._numbers = numbers

    def offsets(self) -> dict[int, int]:
        return dict(self._pool.query(schema.OFFSETS))

    def subject(self, id: str) -> Subject | None:
        rows = self._pool.query(schema.SUBJECT, (id,))
        return Subject(*rows[0]) if rows else None

    def steps(self, id: str, since: datetime, until: datetime, seconds: int) -> list[Step]:
        return [Step(*row) for row in self._pool.query(schema.STEPS, (seconds, id, since, until))]

    def forget(self, before: datetime) -> int:
        old = self._hours.drop(self._hours.ended((name for (name,) in self._pool.query(schema.HOURS)), before))
        self._pool.query(schema.FORGET_SUBJECTS, (hour_of(before),))
        return len(old)


def _numbered(
    tx: Transaction, known: Mapping[str, tuple[int, datetime, str]], rows: Sequence[Row]
) -> dict[str, tuple[int, datetime, str]]:
    """id -> (number, the last hour it was written down for, its node): each is touched once an hour, so that it is not forgotten."""
    latest = {subject.id: (subject, hour_of(step.time)) for subject, step in rows}
    stale = {
        id: (s, hour) for id, (s, hour) in latest.items() if id not in known or known[id][1] < hour or known[id][2] != s.node
    }
    if not stale:
        return dict(known)
    tx.executemany(schema.KEEP_SUBJECT, [(*astuple(s), hour) for _, (s, hour) in sorted(stale.items())])
    tx.execute(schema.NUMBERS, (list(stale),))
    new = {id: (number, stale[id][1], stale[id][0].node) for id, number in tx.fetch()}
    oldest = min(hour for _, hour in latest.values()) - 24 * HOUR
    return {**{id: one for id, one in known.items() if one[1] >= oldest}, **new}
