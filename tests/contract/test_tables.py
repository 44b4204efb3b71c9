"""The tables promise on PostgreSQL: statements, transactions, COPY, and what its errors become."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from backbone.tables import Pool
from backbone.tables.postgres import SQL, Identifier, Jsonb, open_pool
from contracts.errors import Taken, Unavailable
from tests.support.real import address

pytestmark = pytest.mark.real

NOON = datetime(2024, 2, 29, 12, 0, 0, 123456, tzinfo=UTC)
COLUMNS = ("id", "time", "value", "note")
TYPES = ("text", "timestamptz", "float8", "jsonb")


@pytest.fixture
def pool() -> Iterator[Pool]:
    opened = open_pool(address("POSTGRES_URL"), 3, seconds=2)
    yield opened
    opened.close()


@pytest.fixture
def table(pool: Pool) -> Iterator[str]:
    name = "t" + uuid.uuid4().hex[:12]
    pool.query(SQL("CREATE TABLE {} (id text PRIMARY KEY, time timestamptz, value float8, note jsonb)")
               .format(Identifier(name)))
    yield name
    pool.query(SQL("DROP TABLE {}").format(Identifier(name)))


def count(pool: Pool, table: str) -> int:
    number: int = pool.query(f"SELECT count(*) FROM {table}")[0][0]
    return number


def test_values_go_in_and_come_out_as_they_are(pool: Pool, table: str) -> None:
    row = ("it's 100 %", NOON, 0.1, {"k": [1, None]})
    assert pool.query(f"INSERT INTO {table} VALUES (%s, %s, %s, %s)", (*row[:3], Jsonb(row[3]))) == []
    assert pool.query(f"SELECT * FROM {table} WHERE id = %(id)s", {"id": row[0]}) == [row]
    assert pool.query("SELECT '100 %'") == [("100 %",)]


def test_a_transaction_is_all_or_nothing(pool: Pool, table: str) -> None:
    with pool.transaction() as change:
        assert change.executemany(f"INSERT INTO {table} (id) VALUES (%s)", [("a",), ("b",)]) == 2
        assert change.execute(f"UPDATE {table} SET value = 1") == 2
        change.execute(f"SELECT id FROM {table} ORDER BY id")
        assert change.fetch() == [("a",), ("b",)]
        assert count(pool, table) == 0
    assert count(pool, table) == 2
    with pytest.raises(ZeroDivisionError), pool.transaction() as change:
        change.execute(f"DELETE FROM {table}")
        raise ZeroDivisionError
    assert count(pool, table) == 2


@pytest.mark.parametrize("types", [(), TYPES], ids=["text", "binary"])
def test_copy(pool: Pool, table: str, types: tuple[str, ...]) -> None:
    rows = [(f"é\t{i}\n", NOON + timedelta(seconds=i), i / 7, Jsonb({"i": i})) for i in range(5000)]
    with pool.transaction() as change:
        assert change.copy(table, COLUMNS, iter(rows), types) == 5000
    assert pool.query(f"SELECT id, time, value FROM {table} ORDER BY time") == [row[:3] for row in rows]
    with pool.transaction() as change:
        assert change.copy(f"public.{table}", ("id",), [(None,)] * 0) == 0


def test_a_copy_that_breaks_off_leaves_nothing(pool: Pool, table: str) -> None:
    def broken() -> Iterator[tuple[str]]:
        yield ("a",)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), pool.transaction() as change:
        change.copy(table, ("id",), broken())
    assert count(pool, table) == 0


def test_a_used_key_is_taken(pool: Pool, table: str) -> None:
    insert = f"INSERT INTO {table} (id) VALUES (%s)"
    pool.query(insert, ("a",))
    with pytest.raises(Taken, match="already exists"):
        pool.query(insert, ("a",))
    with pytest.raises(Taken), pool.transaction() as change:
        change.executemany(insert, [("b",), ("a",)])
    with pytest.raises(Taken), pool.transaction() as change:
        change.copy(table, ("id",), [("c",), ("a",)])
    assert count(pool, table) == 1


def test_a_transaction_whose_error_was_held_back_does_not_pass_for_done(pool: Pool, table: str) -> None:
    with pytest.raises(Exception, match="held back"), pool.transaction() as change:
        change.execute(f"INSERT INTO {table} (id) VALUES ('a')")
        with pytest.raises(Taken):
            change.execute(f"INSERT INTO {table} (id) VALUES ('a')")
    assert count(pool, table) == 0


def test_a_statement_over_its_time_is_unavailable(pool: Pool) -> None:
    with pytest.raises(Unavailable, match="statement timeout"):
        pool.query("SELECT pg_sleep(60)")
    pool.ready()


def test_more_askers_than_connections_wait_for_each_other(pool: Pool) -> None:
    with ThreadPoolExecutor(12) as threads:
        assert list(threads.map(lambda i: pool.query("SELECT %s::int, pg_sleep(0.05)", (i,))[0][0], range(12))) == [*range(12)]


def test_no_free_connection_in_time_is_unavailable() -> None:
    pool = open_pool(address("POSTGRES_URL"), 1, seconds=0.2)
    with pool.transaction(), pytest.raises(Unavailable, match="busy"):
        pool.ready()
    pool.ready()
    pool.close()


def test_a_broken_connection_fails_once_and_takes_the_kept_ones_along(pool: Pool) -> None:
    with ThreadPoolExecutor(3) as threads:
        list(threads.map(lambda _: pool.query("SELECT pg_sleep(0.1)"), range(3)))
    with pytest.raises(Unavailable):
        pool.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = pg_backend_pid()")
    for _ in range(3):
        pool.ready()


def test_a_server_that_is_not_there_is_said_at_once() -> None:
    pool = open_pool("postgresql://berth@127.0.0.1:1/none", 1)
    start = time.monotonic()
    with pytest.raises(Unavailable, match="refused"):
        pool.ready()
    assert time.monotonic() - start < 1


def test_a_closed_pool_says_so(pool: Pool) -> None:
    pool.ready()
    pool.close()
    with pytest.raises(Unavailable, match="closed"):
        pool.ready()
