"""The tables port on PostgreSQL, and the one file that imports psycopg: pool, errors, COPY, and SQL made from parts.

The pool is a stack of connections and a count, not psycopg_pool: whoever asks also connects, so that a server that is away
is said at once and by its own words, and one that is back is used at the next ask instead of after a growing pause.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress

import psycopg
from psycopg import errors, sql
from psycopg.pq import TransactionStatus
from psycopg.sql import SQL, Composable, Composed, Identifier, Literal
from psycopg.types.json import Jsonb

from backbone.tables import Row, Values
from backbone.tables.late import Late, Line
from contracts.errors import Taken, Unavailable

__all__ = ["SQL", "Composable", "Composed", "Identifier", "Jsonb", "Literal", "PostgresPool", "Statement", "open_pool"]

Statement = SQL | Composed
"""Text from a literal, or made with SQL(...).format(Identifier(...), Literal(...))."""

Connection = psycopg.Connection[Row]


def open_pool(address: str, size: int, seconds: float = 5.0) -> PostgresPool:
    """At most `size` connections to `address` ("postgresql://user:password@host/database"), made when first asked for.

    `seconds` limits one statement, and the wait for a connection.
    """
    return PostgresPool(address, size, seconds)


class PostgresPool:
    """Pool's promise. Kept connections are not tried before use: that would double the price of every small query. So
    after a restart of the server one ask fails as Unavailable, and with it all kept connections are let go."""

    def __init__(self, address: str, size: int, seconds: float) -> None:
        self.address, self.size, self.seconds = address, size, seconds
        self._places = threading.BoundedSemaphore(size)
        self._kept: list[Kept] = []
        self._late = Late(seconds + 1)  # the server's own limit comes first, and its answer keeps the connection
        self._closed = False

    def query(self, statement: str | Statement, values: Values = ()) -> list[Row]:
        with self._asked() as kept, kept.line.limited():
            cursor = kept.db.execute(_text(statement), values or None)
            return cursor.fetchall() if cursor.description else []

    @contextmanager
    def transaction(self) -> Iterator[PostgresTransaction]:
        with self._asked() as kept:
            with kept.line.limited():
                kept.db.execute("BEGIN")
            try:
                with kept.db.cursor() as cursor:
                    yield PostgresTransaction(cursor, kept.line)
            except BaseException:
                with suppress(psycopg.Error), kept.line.limited():
                    kept.db.rollback()  # where this fails, closing undoes it: see Kept.usable
                raise
            with kept.line.limited():
                done = kept.db.execute("COMMIT").statusmessage
            if done != "COMMIT":
                raise errors.InFailedSqlTransaction("an error inside the transaction was held back; all of it was undone")

    def ready(self) -> None:
        self.query("SELECT 1")

    def close(self) -> None:
        self._closed = True
        self._let_go()
        self._late.close()

    @contextmanager
    def _asked(self) -> Iterator[Kept]:
        if not self._places.acquire(timeout=self.seconds):
            raise Unavailable(f"all {self.size} connections to PostgreSQL were busy for {self.seconds:g} s")
        try:
            with _translated():
                kept = self._take()
                try:
                    yield kept
                finally:
                    self._give_back(kept)
        finally:
            self._places.release()

    def _take(self) -> Kept:
        if self._closed:
            raise Unavailable("the connections to PostgreSQL are closed")
        try:
            return self._kept.pop()
        except IndexError:
            return Kept(self.address, self.seconds, self._late)

    def _give_back(self, kept: Kept) -> None:
        if kept.usable() and not self._closed:
            self._kept.append(kept)
            return
        if kept.db.broken:
            self._let_go()  # what ended this one ended the others most likely
        kept.close()

    def _let_go(self) -> None:
        while self._kept:
            try:
                self._kept.pop().close()
            except IndexError:
                return


class Kept:
    """A connection and its line, by which a late answer is given up."""

    def __init__(self, address: str, seconds: float, late: Late) -> None:
        options = f"-c statement_timeout={int(seconds * 1000)} -c timezone=UTC"
        self.db: Connection = psycopg.connect(
            address, autocommit=True, connect_timeout=max(2, int(seconds)), options=options, application_name="berth",
            keepalives_idle=5, keepalives_interval=2, keepalives_count=3)
        self.line = Line(self.db.fileno(), late)

    def usable(self) -> bool:
        """False also in the midst of a transaction: closing undoes it."""
        return not self.db.closed and self.db.info.transaction_status == TransactionStatus.IDLE

    def close(self) -> None:
        self.db.close()
        self.line.close()


class PostgresTransaction:
    def __init__(self, cursor: psycopg.Cursor[Row], line: Line) -> None:
        self._cursor, self._line = cursor, line

    def execute(self, statement: str | Statement, values: Values = ()) -> int:
        with _translated(), self._line.limited():
            return self._cursor.execute(_text(statement), values or None).rowcount

    def executemany(self, statement: str | Statement, rows: Iterable[Values]) -> int:
        with _translated(), self._line.limited():
            self._cursor.executemany(_text(statement), rows)
            return self._cursor.rowcount

    def copy(self, table: str, columns: Sequence[str], rows: Iterable[Row], types: Sequence[str] = ()) -> int:
        statement = SQL("COPY {} ({}) FROM STDIN" + (" (FORMAT BINARY)" if types else "")).format(
            Identifier(*table.split(".")), SQL(", ").join(map(Identifier, columns)))
        with _translated(), self._line.limited():
            with self._cursor.copy(statement) as copy:
                if types:
                    copy.set_types(types)
                for row in rows:
                    copy.write_row(row)
            return self._cursor.rowcount

    def fetch(self) -> list[Row]:
        with _translated():
            return self._cursor.fetchall() if self._cursor.description else []


def _text(statement: str | Statement) -> Statement:
    return sql.SQL(statement) if isinstance(statement, str) else statement


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except errors.UniqueViolation as e:
        raise Taken(f"{e.diag.table_name}: {e.diag.message_detail}") from e
    except (psycopg.OperationalError, errors.ReadOnlySqlTransaction) as e:
        raise Unavailable(f"PostgreSQL: {str(e).strip()}") from e
