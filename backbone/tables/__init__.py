"""The tables port: PostgreSQL as PostgreSQL, for what documents cannot do: COPY, transactions over many rows, queries.

Only what keeps rows in bulk (readings, log lines) uses it, and the documents home on PostgreSQL, which stands on it.
There is no memory twin of SQL: who needs one puts it at the level of its own store.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

Values = Sequence[Any] | Mapping[str, Any]
"""For %s, or for %(name)s, in the statement. Never put values into the text yourself."""

Row = tuple[Any, ...]


class Transaction(Protocol):
    """One open transaction on one connection, for one thread. Errors as Pool's."""

    def execute(self, statement: Any, values: Values = ()) -> int:
        """Runs one statement; how many rows it touched or found, -1 where that says nothing."""

    def executemany(self, statement: Any, rows: Iterable[Values]) -> int:
        """Runs one statement once for each of `rows`, sent together; how many rows were touched in all."""

    def copy(self, table: str, columns: Sequence[str], rows: Iterable[Row], types: Sequence[str] = ()) -> int:
        """COPY of `rows` into `table` ("name" or "schema.name"); how many. The fastest way in.

        With `types` (PostgreSQL's names, one a column: "text", "timestamptz", "float8") the rows go in binary, which
        costs less on both sides and takes no value of another type; without, as text.
        """

    def fetch(self) -> list[Row]:
        """All rows that the last execute() found."""


class Pool(Protocol):
    """Connections to one PostgreSQL database; safe to share between threads.

    Every verb raises Unavailable (the server is away, refuses us, was cancelled by its time limit or answered late: of a
    write nothing is known) and Taken (a unique key is in use). Any other error of the server is a bug and comes as it is.
    Times go in and come out as datetime with UTC; jsonb comes out as dict or list and goes in wrapped in Jsonb.
    """

    def query(self, statement: Any, values: Values = ()) -> list[Row]:
        """One statement, which commits by itself; its rows, or [] where it has none."""

    def transaction(self) -> AbstractContextManager[Transaction]:
        """Commits at the end of the block, undoes all of it where an exception leaves the block."""

    def ready(self) -> None:
        """Returns when the server answers, else raises Unavailable with the reason."""

    def close(self) -> None:
        """Ends the connections; nothing may be asked afterwards."""
