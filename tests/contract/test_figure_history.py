"""One suite for both homes of the figures' history: what memory promises, PostgreSQL keeps."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest

from backbone.tables.postgres import open_pool
from contracts.errors import Unavailable
from node_manager.history import FigureHistory, Row, Subject
from node_manager.history.memory import MemoryHistory
from node_manager.history.postgres import PostgresHistory
from node_manager.model_figures import Step
from tests.support.real import address

T0 = datetime(2026, 11, 28, 12, tzinfo=UTC)
WEB = Subject("web1", "app", "web", "ada", "d1", 3, "node1")
NODE = Subject("node1", "node", node="node1")


def at(seconds: float, cpu: float = 1.0, samples: int = 10, subject: Subject = WEB) -> Row:
    return subject, Step(T0 + timedelta(seconds=seconds), samples, cpu, cpu + 1, 100.0 * cpu, 200.0 * cpu)


def whole(seconds: float, load: float, samples: int = 10) -> Row:
    """Of a node, which has more."""
    return NODE, Step(T0 + timedelta(seconds=seconds), samples, 1.0, 2.0, 3.0, 4.0, load, load * 10, 5.0, 6.0)


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.real)])
def history(request: pytest.FixtureRequest) -> Iterator[FigureHistory]:
    if request.param == "memory":
        yield MemoryHistory()
        return
    pool = open_pool(request.getfixturevalue("database"), 4)
    pool.query("DROP SCHEMA IF EXISTS node_manager CASCADE")
    made = PostgresHistory(pool)
    made.prepare(T0)
    yield made
    pool.close()


def steps(history: FigureHistory, id: str = "web1", seconds: int = 10, begin: float = -90_000, end: float = 90_000) -> list[Step]:
    return history.steps(id, T0 + timedelta(seconds=begin), T0 + timedelta(seconds=end), seconds)


def test_nothing_at_first(history: FigureHistory) -> None:
    assert history.offsets() == {} and history.subject("web1") is None and steps(history) == []
    history.write([], {})
    assert history.forget(T0) == 0


def test_each_step_as_it_came(history: FigureHistory) -> None:
    rows = [at(0, 0.5), at(10, 12.25), whole(0, 0.75)]
    history.write(rows, {0: 7})
    assert steps(history) == [step for subject, step in rows if subject is WEB]
    assert steps(history, "node1") == [rows[2][1]] and history.subject("web1") == WEB and history.subject("node1") == NODE


def test_prepare_again_changes_nothing(history: FigureHistory) -> None:
    history.write([at(0)], {0: 1})
    history.prepare(T0)
    assert len(steps(history)) == 1 and history.offsets() == {0: 1}


def test_the_step_with_more_behind_it_counts(history: FigureHistory) -> None:
    history.write([at(0, 5.0, 10)], {})
    history.write([at(0, 1.0, 3)], {})
    assert [s.cpu for s in steps(history)] == [5.0]
    history.write([at(0, 6.0, 10)], {})
    assert [s.cpu for s in steps(history)] == [6.0]


def test_longer_steps_are_means_by_samples(history: FigureHistory) -> None:
    history.write([at(0, 10.0, 1), at(50, 2.0, 3), at(60, 7.0, 10), at(200, 1.0), whole(0, 1.0, 10), whole(30, 4.0, 5)], {})
    minute = timedelta(minutes=1)
    assert steps(history, seconds=60) == [
        Step(T0, 4, 4.0, 11.0, 400.0, 2000.0), Step(T0 + minute, 10, 7.0, 8.0, 700.0, 1400.0),
        Step(T0 + 3 * minute, 10, 1.0, 2.0, 100.0, 200.0),
    ]  # fmt: skip
    assert steps(history, "node1", 60) == [Step(T0, 15, 1.0, 2.0, 3.0, 4.0, 2.0, 20.0, 5.0, 6.0)]


def test_a_window_is_half_open(history: FigureHistory) -> None:
    history.write([at(n * 10, float(n)) for n in range(10)], {})
    assert [s.cpu for s in steps(history, begin=20, end=50)] == [2.0, 3.0, 4.0]


def test_offsets_go_with_the_rows_and_never_back(history: FigureHistory) -> None:
    history.write([at(0)], {0: 5, 2: 7})
    history.write([], {0: 4, 1: 1})
    assert history.offsets() == {0: 5, 1: 1, 2: 7}


def test_any_hour_finds_room(history: FigureHistory) -> None:
    history.write([at(3600 * n, float(n)) for n in (-23, -1, 0, 2)], {})
    assert [s.cpu for s in steps(history)] == [-23.0, -1.0, 0.0, 2.0]


def test_whole_hours_are_forgotten_with_those_seen_only_then(history: FigureHistory) -> None:
    old = Subject("old", "app", "web", "ada", "d1", 2, "node1")
    history.write([at(-86400 - 3600, 1.0), at(-3600, 2.0), at(0, 3.0), at(-86400 - 3600, 1.0, subject=old)], {2: 9})
    assert history.forget(T0 - timedelta(days=1)) == 1 and history.forget(T0 - timedelta(days=1)) == 0
    assert [s.cpu for s in steps(history)] == [2.0, 3.0] and history.subject("web1") == WEB
    assert history.subject("old") is None and steps(history, "old") == [] and history.offsets() == {2: 9}
    history.write([at(-86400 - 3600, 4.0), at(0, 1.0, subject=old)], {})
    assert [s.cpu for s in steps(history)] == [4.0, 2.0, 3.0] and history.subject("old") == old


def test_a_day_of_one_node(history: FigureHistory) -> None:
    """21 subjects, a step each ten seconds of two hours, and again."""
    subjects = [Subject(f"s{n}", "app", "web", "ada", "d1", 1, "node1") for n in range(21)]
    for n in range(0, 7200, 600):
        rows = [at(n + m, float(m), subject=s) for m in range(0, 600, 10) for s in subjects]
        history.write(rows, {0: n})
        history.write(rows, {0: n})
    found = steps(history, "s20", 60)
    assert len(found) == 120 and {s.samples for s in found} == {60}


@pytest.mark.real
def test_a_home_that_is_away_is_unavailable() -> None:
    url = urlsplit(address("POSTGRES_URL"))
    pool = open_pool(url._replace(netloc=url.netloc.rpartition("@")[0] + "@127.0.0.1:9").geturl(), 1)
    with pytest.raises(Unavailable):
        PostgresHistory(pool).write([at(0)], {0: 1})
    pool.close()


@pytest.mark.real
def test_replicas_prepare_and_write_the_same_at_once(database: str) -> None:
    pools = [open_pool(database, 1) for _ in range(4)]
    pools[0].query("DROP SCHEMA IF EXISTS node_manager CASCADE")
    stores = [PostgresHistory(pool) for pool in pools]
    rows = [at(3600 * (n % 3) + 10 * n, float(n)) for n in range(200)]

    def work(n: int) -> None:
        stores[n].prepare(T0)
        stores[n].write(rows, {0: n})

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(work, range(4)))
    assert len(steps(stores[0])) == 200 and stores[0].offsets() == {0: 3}
    for pool in pools:
        pool.close()
