"""One suite for both homes of lines: what memory promises, PostgreSQL keeps."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from urllib.parse import urlsplit

import pytest

from backbone.tables.postgres import open_pool
from contracts.errors import Unavailable
from contracts.lines import LEVELS, Line
from logger.memory import MemoryLines
from logger.model import Entry, Filter, entry
from logger.postgres import PostgresLines
from logger.store import LineStore
from tests.support.lines import T0, line
from tests.support.real import address

ALL = Filter()


def placed(lines: Iterable[Line], shard: int = 0, start: int = 0) -> list[Entry]:
    """As they stood in one partition, one after the other."""
    return [entry(one, shard, place) for one, place in zip(lines, count(start))]


def keep(store: LineStore, *lines: Line, shard: int = 0, start: int = 0) -> int:
    return store.write(placed(lines, shard, start), {shard: start + len(lines)})


def found(store: LineStore, filter: Filter = ALL) -> list[str]:
    return [one.text for one in store.find(filter, None, False, 1000)]


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.real)])
def store(request: pytest.FixtureRequest) -> Iterator[LineStore]:
    if request.param == "memory":
        yield MemoryLines()
        return
    pool = open_pool(request.getfixturevalue("database"), 4)
    pool.query("DROP SCHEMA IF EXISTS logger CASCADE")
    made = PostgresLines(pool)
    made.prepare(T0)
    yield made
    pool.close()


def test_nothing_at_first(store: LineStore) -> None:
    assert store.shards() == {} and found(store) == []
    assert store.counts(Filter(since=T0, until=T0 + timedelta(hours=1)), 60) == {}
    span = store.span(ALL, {}, None, None, 10)
    assert (span.lines, span.left_out, span.shards) == ([], 0, {})


def test_prepare_again_changes_nothing(store: LineStore) -> None:
    keep(store, line(0))
    store.prepare(T0)
    assert found(store) == ["line 0"] and store.shards() == {0: 1}


def test_everything_of_a_line_is_kept(store: LineStore) -> None:
    whole = line(
        7, 1.234567, source="build:r1", kind="build", level="error", text="wörld\n\t\\ % _ ' \" ☃", workspace="w", app="a",
        deployment="d", generation=3, release="r1", service="web", instance="i1", node="n1", correlation="c" * 32,
        facts={"x": [1, None, {"ä": "\0"}], "y": 2.5},
    )  # fmt: skip
    keep(store, whole, shard=4, start=99)
    [one] = store.find(ALL, None, True, 10)
    json = one.as_json()
    assert (one.shard, one.place) == (4, 99)
    assert json.pop("id") == one.cursor.text and json.pop("time") == "2026-11-28T12:00:01.234567Z"
    assert json == whole.model_dump(exclude={"source", "position", "time"})


def test_a_place_of_a_source_is_kept_once_whatever_is_said_of_it_later(store: LineStore) -> None:
    assert keep(store, line(0), line(1), line(1, text="again")) == 2
    assert keep(store, line(1, text="again"), line(2), line(0, 86400, text="another day"), start=3) == 1
    assert keep(store, line(1, source="c2", text="of another source"), start=6) == 1
    assert sorted(found(store)) == ["line 0", "line 1", "line 2", "of another source"]
    assert store.shards() == {0: 7}


def test_a_gap_that_is_filled_later_is_kept(store: LineStore) -> None:
    assert keep(store, line(0, 0), line(2, 2)) == 2
    assert keep(store, line(1, 1), line(2, 2), start=2) == 1
    assert found(store) == ["line 0", "line 1", "line 2"]


def test_offsets_go_with_the_lines_and_never_back(store: LineStore) -> None:
    store.write(placed([line(0)]), {0: 5, 3: 7})
    store.write([], {0: 4, 1: 1})
    assert store.shards() == {0: 5, 1: 1, 3: 7}


def test_pages_are_stable_while_lines_come(store: LineStore) -> None:
    """Ten lines of one moment from two sources: their order is one and the same each time."""
    keep(store, *(line(n, source=f"s{n % 2}") for n in range(10)), *(line(n, n) for n in range(10, 20)))
    newest = store.find(ALL, None, True, 20)
    keep(store, line(100, 100), start=20)
    pages, after = [], None
    for _ in range(4):
        page = store.find(ALL, after or newest[0].cursor, True, 6)
        pages += page
        after = page[-1].cursor if page else None
    assert [one.cursor for one in pages] == [one.cursor for one in newest[1:]]
    oldest = store.find(ALL, None, False, 21)
    assert [one.cursor for one in oldest[:20]] == [one.cursor for one in reversed(newest)]
    assert [one.cursor for one in store.find(ALL, oldest[4].cursor, False, 3)] == [one.cursor for one in oldest[5:8]]


FILTERS: dict[str, tuple[Filter, Callable[[int], bool]]] = {
    "workspace": (Filter(workspaces=("w1",)), lambda n: n % 3 == 1),
    "workspaces": (Filter(workspaces=("w1", "w2")), lambda n: n % 3 > 0),
    "no workspace at all": (Filter(workspaces=()), lambda n: False),
    "kind": (Filter(kinds=("subsystem",)), lambda n: n % 4 == 0),
    "kinds": (Filter(kinds=("app", "build")), lambda n: n % 4 in (1, 2)),
    "level": (Filter(level=3), lambda n: n % 5 >= 3),
    "a level that has an index of its own": (Filter(level=2), lambda n: n % 5 >= 2),
    "app": (Filter(exact={"app": "a1"}), lambda n: n % 2 == 1),
    "deployment and instance": (Filter(exact={"deployment": "d0", "instance": "i1"}), lambda n: n % 2 == 0 and n % 7 == 1),
    "release": (Filter(exact={"release": "r1"}), lambda n: n % 2 == 1),
    "node": (Filter(exact={"node": "n1"}), lambda n: n % 2 == 1),
    "correlation": (Filter(exact={"correlation": "x3"}), lambda n: n % 6 == 3),
    "a role": (Filter(service="sensor_manager.intake"), lambda n: n % 4 == 1),
    "a subsystem with all its roles": (Filter(service="sensor_manager"), lambda n: n % 4 in (0, 1)),
    "a service": (Filter(service="monitor"), lambda n: n % 4 == 3),
    "text": (Filter(text="number 1"), lambda n: n == 1 or 10 <= n < 20),
    "text in capitals": (Filter(text="ÄPFEL"), lambda n: n % 2 == 0),
    "text with signs": (Filter(text="50%_\\"), lambda n: n == 7),
    "text of two letters": (Filter(text="7,"), lambda n: n % 10 == 7),
    "text in facts": (Filter(text='"n":12}'), lambda n: n == 12),
    "nothing like it": (Filter(text="no such words"), lambda n: False),
    "since": (Filter(since=T0 + timedelta(seconds=30)), lambda n: n >= 30),
    "until": (Filter(until=T0 + timedelta(seconds=30)), lambda n: n < 30),
    "all together": (
        Filter(("w0",), ("subsystem",), {"app": "a0"}, "sensor_manager", 1, "number", T0, T0 + timedelta(hours=1)),
        lambda n: n % 12 == 0 and n % 5 >= 1,
    ),
}


def of_each(n: int) -> Line:
    kinds = ("subsystem", "app", "build", "backing")
    services = ("sensor_manager", "sensor_manager.intake", "sensor_manager2", "monitor")
    return line(
        n, n, source=f"s{n % 3}", kind=kinds[n % 4], level=LEVELS[n % 5], workspace=f"w{n % 3}", app=f"a{n % 2}", deployment=f"d{n % 2}",
        release=f"r{n % 2}", instance=f"i{n % 7}", node=f"n{n % 2}", correlation=f"x{n % 6}", service=services[n % 4],
        text=f"number {n}, {'äpfel' if n % 2 == 0 else 'birnen'}" + (" 50%_\\" if n == 7 else ""), facts={"n": n},
    )  # fmt: skip


@pytest.mark.parametrize("name", FILTERS)
def test_each_filter_by_find_count_and_tail_alike(store: LineStore, name: str) -> None:
    filter, wanted = FILTERS[name]
    lines = [of_each(n) for n in range(60)]
    keep(store, *lines)
    numbers = [n for n in range(60) if wanted(n)]
    assert [one.cursor.position for one in store.find(filter, None, False, 1000)] == numbers
    assert [one.cursor.position for one in store.find(filter, None, True, 3)] == numbers[::-1][:3]
    assert [one.cursor.position for one in store.span(filter, {}, None, None, 1000).lines] == numbers
    assert [one.line.position for one in placed(lines) if filter.takes(one)] == numbers
    bounded = Filter(**{**filter.__dict__, "since": filter.since or T0, "until": filter.until or T0 + timedelta(hours=1)})
    assert sum(store.counts(bounded, 10).values()) == len(numbers)


def test_counts_by_bucket_and_level(store: LineStore) -> None:
    keep(store, line(0, 0), line(1, 9.999999, level="error"), line(2, 10), line(3, 11), line(4, 25, level="error"), line(5, 30))
    assert store.counts(Filter(since=T0, until=T0 + timedelta(seconds=30)), 10) == {
        (T0, 1): 1, (T0, 3): 1, (T0 + timedelta(seconds=10), 1): 2, (T0 + timedelta(seconds=20), 3): 1,
    }  # fmt: skip
    assert store.counts(Filter(since=T0 + timedelta(seconds=9), until=T0 + timedelta(seconds=11)), 10) == {
        (T0, 3): 1, (T0 + timedelta(seconds=10), 1): 1}  # fmt: skip


def test_a_span_is_what_came_between_in_order_of_time(store: LineStore) -> None:
    keep(store, *(line(n, 10 - n, source="a") for n in range(10)), shard=0)
    keep(store, *(line(n, n + 0.5, source="b", text=f"b {n}") for n in range(10)), shard=5)
    whole = store.span(ALL, {}, None, None, 4)
    assert [one.text for one in whole.lines] == ["b 8", "line 1", "b 9", "line 0"] and whole.shards == {0: 10, 5: 10}
    low = {0: 8, 5: 9}
    missed = store.span(ALL, low, None, None, 100)
    assert [one.text for one in missed.lines] == ["line 9", "line 8", "b 9"] and missed.left_out == 0
    assert [one.text for one in store.span(ALL, low, {0: 9, 5: 99}, None, 100).lines] == ["line 8", "b 9"]
    assert [one.text for one in store.span(ALL, low, {0: 10}, missed.lines[0].cursor, 100).lines] == ["line 8"]
    few = store.span(ALL, {n: 0 for n in range(6)}, None, None, 3)
    assert [one.text for one in few.lines] == ["line 1", "b 9", "line 0"] and few.left_out == 17


def test_whole_days_are_forgotten(store: LineStore) -> None:
    keep(store, *(line(n, -86400 * n, text=f"day {n}") for n in range(5)))
    assert store.forget(T0 - timedelta(days=2)) == ["2026-11-24", "2026-11-25"]
    assert found(store) == ["day 2", "day 1", "day 0"] and store.shards() == {0: 5}
    assert store.forget(T0 - timedelta(days=2)) == []
    keep(store, line(9, -86400 * 4, text="late"), start=5)
    assert found(store)[0] == "late"


def test_the_oldest_days_go_where_all_is_too_large(store: LineStore) -> None:
    keep(store, *(line(n, -86400 * n, text=f"day {n} " + "x" * 100) for n in range(3)))
    assert store.shrink(10**12) == []
    gone = store.shrink(0)
    assert gone[:3] == ["2026-11-26", "2026-11-27", "2026-11-28"] and found(store) == [] and store.shards() == {0: 3}
    assert keep(store, line(50, text="after"), start=3) == 1 and found(store) == ["after"]


def test_many_at_once(store: LineStore) -> None:
    many = placed(line(n, n / 1000, source=f"s{n % 50}") for n in range(20_000))
    assert store.write(many, {0: 20_000}) == 20_000
    assert store.write(many, {0: 20_000}) == 0
    assert len(store.find(ALL, None, True, 1000)) == 1000


@pytest.mark.real
def test_a_home_that_is_away_is_unavailable() -> None:
    url = urlsplit(address("POSTGRES_URL"))
    pool = open_pool(url._replace(netloc=url.netloc.rpartition("@")[0] + "@127.0.0.1:9").geturl(), 1)
    with pytest.raises(Unavailable):
        keep(PostgresLines(pool), line(0))
    pool.close()


@pytest.mark.real
def test_a_broken_write_keeps_neither_lines_nor_offsets(database: str) -> None:
    pool = open_pool(database, 2)
    store = PostgresLines(pool)
    store.prepare(T0)
    before = store.shards()
    with pytest.raises(Exception, match="UTF8"):
        store.write(placed([line(0, source="whole", text="whole"), line(1, source="whole", text="\0")]), {99: 1})
    assert found(store, Filter(text="whole")) == [] and store.shards() == before
    pool.close()


@pytest.mark.real
def test_replicas_prepare_write_and_drop_at_once(database: str) -> None:
    from concurrent.futures import ThreadPoolExecutor

    pools = [open_pool(database, 1) for _ in range(6)]
    pools[0].query("DROP SCHEMA IF EXISTS logger CASCADE")
    stores = [PostgresLines(pool) for pool in pools]
    entries = placed(line(n, 86400 * (n % 3) + n / 100, source=f"s{n % 7}") for n in range(2_000))
    with ThreadPoolExecutor(6) as threads:
        list(threads.map(lambda n: stores[n].prepare(T0), range(6)))
        assert sum(threads.map(lambda n: stores[n].write(entries, {0: n}), range(6))) == 2_000
    assert stores[0].shards() == {0: 5} and stores[5].shrink(0)
    assert stores[0].write(entries, {}) == 2_000, "it did not know that its days were dropped by another"
    for pool in pools:
        pool.close()


def test_a_moment_of_the_far_past_has_a_place(store: LineStore) -> None:
    keep(store, line(0, begin=datetime(1971, 1, 1, tzinfo=UTC)))
    assert store.find(ALL, None, True, 1)[0].cursor.time.year == 1971
