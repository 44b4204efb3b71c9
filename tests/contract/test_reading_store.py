"""One suite for both homes of readings: what memory promises, PostgreSQL keeps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest

from backbone.tables.postgres import open_pool
from contracts.errors import Unavailable
from sensor_manager.storage import Bucket, ReadingStore, Stored
from sensor_manager.storage.memory import MemoryReadings
from sensor_manager.storage.postgres import PostgresReadings
from tests.support.real import address

T0 = datetime(2026, 11, 28, 12, tzinfo=UTC)


def at(seconds: float, number: float | None = 1.0, sensor: str = "a", other: object = None) -> Stored:
    return Stored(sensor, T0 + timedelta(seconds=seconds), number, other)


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.real)])
def store(request: pytest.FixtureRequest) -> Iterator[ReadingStore]:
    if request.param == "memory":
        yield MemoryReadings()
        return
    pool = open_pool(request.getfixturevalue("database"), 4)
    pool.query("DROP SCHEMA IF EXISTS sensor_manager CASCADE")
    made = PostgresReadings(pool)
    made.prepare(T0)
    yield made
    pool.close()


def test_nothing_at_first(store: ReadingStore) -> None:
    assert store.offsets() == {} and store.latest(["a"]) == {} and store.latest([]) == {}
    assert store.history("a", T0, T0 + timedelta(days=1), 10) == []
    assert store.buckets("a", T0, T0 + timedelta(days=1), 60) == []


def test_prepare_again_changes_nothing(store: ReadingStore) -> None:
    store.write([at(0)], {0: 1})
    store.prepare(T0)
    assert store.latest(["a"]) == {"a": at(0)} and store.offsets() == {0: 1}


def test_each_value_as_it_came(store: ReadingStore) -> None:
    kept = [at(0, 0.0), at(1, -0.5), at(2, None, other=""), at(3, None, other={"x": [1, None, "ä"]}), at(4, None, other=2**60), at(5, 1e-9)]
    assert store.write(kept, {}) == 6
    assert store.history("a", T0, T0 + timedelta(seconds=10), 10) == kept


def test_microseconds_are_kept(store: ReadingStore) -> None:
    reading = Stored("a", T0 + timedelta(microseconds=123457), 1.0)
    store.write([reading], {})
    assert store.latest(["a"]) == {"a": reading}


def test_the_first_value_of_a_time_wins(store: ReadingStore) -> None:
    assert store.write([at(0, 1.0), at(0, 2.0)], {}) == 1
    assert store.write([at(0, 3.0), at(1, 4.0)], {}) == 1
    assert [r.number for r in store.history("a", T0, T0 + timedelta(seconds=9), 10)] == [1.0, 4.0]
    assert store.latest(["a"]) == {"a": at(1, 4.0)}
    store.write([at(1, 5.0)], {})
    assert store.latest(["a"]) == {"a": at(1, 4.0)}


def test_latest_is_the_greatest_time_whatever_the_order(store: ReadingStore) -> None:
    store.write([at(5, 5.0), at(9, 9.0), at(7, 7.0)], {})
    store.write([at(8, 8.0), at(1, 1.0, "b")], {})
    assert store.latest(["a", "b", "nobody"]) == {"a": at(9, 9.0), "b": at(1, 1.0, "b")}


def test_offsets_go_with_the_readings_and_never_back(store: ReadingStore) -> None:
    store.write([at(0)], {0: 5, 3: 7})
    store.write([], {0: 4, 1: 1})
    assert store.offsets() == {0: 5, 1: 1, 3: 7}


def test_history_is_half_open_and_newest_first_to_be_kept(store: ReadingStore) -> None:
    store.write([at(n, float(n)) for n in range(10)], {})
    found = store.history("a", T0 + timedelta(seconds=2), T0 + timedelta(seconds=8), 3)
    assert [r.number for r in found] == [5.0, 6.0, 7.0]


def test_buckets(store: ReadingStore) -> None:
    store.write([at(0, 1.0), at(59.999, 3.0), at(60, 10.0), at(61, None, other="x"), at(200, 0.0)], {})
    minute = timedelta(minutes=1)
    assert store.buckets("a", T0, T0 + timedelta(hours=1), 60) == [
        Bucket(T0, 2.0, 1.0, 3.0, 2), Bucket(T0 + minute, 10.0, 10.0, 10.0, 1), Bucket(T0 + 3 * minute, 0.0, 0.0, 0.0, 1),
    ]  # fmt: skip
    assert store.buckets("a", T0 + timedelta(seconds=30), T0 + timedelta(seconds=60), 60) == [Bucket(T0, 3.0, 3.0, 3.0, 1)]


def test_any_day_finds_room(store: ReadingStore) -> None:
    days = [at(86400 * n, float(n)) for n in (-37, -1, 0, 6, 20)]
    assert store.write(days, {}) == 5
    assert store.history("a", T0 - timedelta(days=40), T0 + timedelta(days=40), 10) == days


def test_whole_days_are_forgotten_and_the_newest_value_stays(store: ReadingStore) -> None:
    store.write([at(86400 * n, float(n)) for n in (-3, -2, -1)], {2: 9})
    store.write([at(-3 * 86400, 7.0, "b")], {})
    assert store.forget(T0 - timedelta(days=1)) == 2
    assert [r.number for r in store.history("a", T0 - timedelta(days=9), T0, 10)] == [-1.0]
    assert store.latest(["b"]) == {"b": at(-3 * 86400, 7.0, "b")} and store.offsets() == {2: 9}
    assert store.write([at(-3 * 86400, 8.0)], {}) == 1


def test_many_at_once(store: ReadingStore) -> None:
    many = [at(n / 1000, float(n), f"s{n % 50}") for n in range(20_000)]
    assert store.write(many, {0: 20_000}) == 20_000
    assert store.write(many, {0: 20_000}) == 0
    assert len(store.latest([f"s{n}" for n in range(50)])) == 50


@pytest.mark.real
def test_a_home_that_is_away_is_unavailable() -> None:
    url = urlsplit(address("POSTGRES_URL"))
    pool = open_pool(url._replace(netloc=url.netloc.rpartition("@")[0] + "@127.0.0.1:9").geturl(), 1)
    with pytest.raises(Unavailable):
        PostgresReadings(pool).write([at(0)], {0: 1})
    pool.close()


@pytest.mark.real
def test_a_broken_write_keeps_neither_readings_nor_offsets(database: str) -> None:
    pool = open_pool(database, 2)
    store = PostgresReadings(pool)
    store.prepare(T0)
    before = store.offsets()
    with pytest.raises(Exception, match="Unicode"):
        store.write([at(0, 1.0, "whole"), at(0, None, "broken", "\0")], {99: 1})
    assert store.latest(["whole"]) == {} and store.offsets() == before
    pool.close()


def together(count: int, call: Callable[[int], object]) -> list[object]:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(call, range(count)))


@pytest.mark.real
def test_replicas_prepare_and_write_the_same_at_once(database: str) -> None:
    pools = [open_pool(database, 1) for _ in range(6)]
    pools[0].query("DROP SCHEMA IF EXISTS sensor_manager CASCADE")
    stores = [PostgresReadings(pool) for pool in pools]
    together(6, lambda n: stores[n].prepare(T0))
    readings = [at(86400 * (n % 3) + n / 100, float(n), f"s{n % 7}") for n in range(2_000)]
    assert sum(int(str(new)) for new in together(6, lambda n: stores[n].write(readings, {0: n}))) == 2_000
    assert stores[0].offsets() == {0: 5}
    for pool in pools:
        pool.close()


