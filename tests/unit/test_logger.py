"""What the logger decides without a database: whose lines, which question, in what order, where a tail stands, what is unreadable."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from backbone.bus.memory_records import MemoryRecords
from backbone.bus.raw import Record
from backbone.clock import ManualClock
from contracts.errors import Forbidden, Invalid, Unavailable
from contracts.lines import LEVELS
from gateway.config import files, render
from gateway.door import DOCUMENTS, NOUNS, Door
from logger.arrived import arrived
from logger.hub import MOST_WAITING, REMEMBERED, Hub, Subscriber
from logger.memory import MemoryLines
from logger.model import THEIRS, Allowed, Cursor, Filter, allowed, entry, number_of
from logger.model_asked import KINDS, counts_asked, page_asked, tail_asked
from logger.model_place import Place, place_of
from logger.writer import Writer
from tests.support.lines import T0, encoded, line, send
from tests.support.process import eventually

NOW = T0 + timedelta(hours=3)
STAFF: list[str] | None = None

# (workspaces that may be read, None for staff), ?workspace=, ?kind= -> (workspaces, kinds) in the condition; None: Forbidden
CELLS: list[tuple[list[str] | None, str, str, tuple[Any, Any] | None]] = [
    (None, "", "", (None, None)),
    (None, "w", "", (("w",), None)),
    *((None, "", kind, (None, (kind,))) for kind in KINDS),
    *((None, "w", kind, (("w",), (kind,))) for kind in KINDS),
    (["a", "b"], "", "", (("a", "b"), THEIRS)),
    (["a", "b"], "b", "", (("b",), THEIRS)),
    (["a", "b"], "c", "", None),
    *((["a"], "", kind, (("a",), (kind,)) if kind in THEIRS else None) for kind in KINDS),
    *((["a"], "a", kind, (("a",), (kind,)) if kind in THEIRS else None) for kind in KINDS),
    *((["a"], "c", kind, None) for kind in KINDS),
    ([], "", "", ((), THEIRS)),
    ([], "a", "", None),
    ([""], "", "", ((), THEIRS)),
]


@pytest.mark.parametrize(("readable", "workspace", "kind", "cell"), CELLS)
def test_who_sees_what(readable: list[str] | None, workspace: str, kind: str, cell: tuple[Any, Any] | None) -> None:
    if cell is None:
        with pytest.raises(Forbidden):
            allowed(readable, workspace, kind)
    else:
        assert allowed(readable, workspace, kind) == Allowed(*cell)


def test_what_belongs_to_no_workspace_is_for_staff_alone() -> None:
    for kind in KINDS:
        for workspace in ("", "a", "b"):
            one = entry(line(0, kind=kind, workspace=workspace), 0, 0)
            for readable in ([], ["a"], ["", "a"], ["a", "b"]):
                seen = allowed(readable)
                took = Filter(seen.workspaces, seen.kinds).takes(one)
                assert took == (kind in ("app", "build") and workspace != "" and workspace in readable), (kind, workspace, readable)
            assert Filter(*vars(allowed(STAFF)).values()).takes(one)


def test_cursors_sort_as_their_texts_do() -> None:
    times = [datetime(1960, 1, 1, tzinfo=UTC), T0, T0 + timedelta(microseconds=1), datetime(9999, 1, 1, tzinfo=UTC)]
    cursors = [Cursor(t, number_of(s), p) for t in times for s in ("a", "b", "c") for p in (0, 5, 2**63 - 1)]
    assert [c.text for c in sorted(cursors)] == sorted(c.text for c in cursors)
    assert [Cursor.of(c.text) for c in cursors] == cursors
    for bad in ("", "x" * 48, "0" * 47, "f" * 48, "²" * 48):
        with pytest.raises(ValueError):
            Cursor.of(bad)


def problems(ask: Any, **query: str) -> dict[str, str]:
    with pytest.raises(Invalid) as caught:
        ask(query, STAFF, NOW)
    assert all(p.rule and p.hint for p in caught.value.problems), caught.value.problems
    return {p.path: p.rule for p in caught.value.problems}


def test_every_mistake_of_a_question_is_said_at_once() -> None:
    said = problems(
        page_asked, level="bad", kind="thing", since="yesterday", until="2026-11-28T12:00:00", limit="0", next="zz", order="up",
        colour="red", text="x" * 201,
    )  # fmt: skip
    assert set(said) == {"level", "kind", "since", "until", "limit", "next", "order", "colour", "text"}
    assert "debug, info, warning, error, critical" in said["level"] and "15m" in said["since"] and "1000" in said["limit"]
    for ask, query in (
        (page_asked, {"since": "10m", "until": "20m"}), (page_asked, {"limit": "1001"}), (page_asked, {"limit": "１"}),
        (page_asked, {"text": "a\0b"}), (page_asked, {"step": "10s"}), (page_asked, {"since": "99999999d"}), (tail_asked, {"last": "-1"}),
        (tail_asked, {"last": "1001"}), (tail_asked, {"limit": "5"}), (counts_asked, {"step": "soon"}), (counts_asked, {"step": "1s"}),
        (counts_asked, {"since": "121d"}), (counts_asked, {"since": "1h", "until": "2h"}),
    ):  # fmt: skip
        assert problems(ask, **query)


def test_a_question_is_understood() -> None:
    query = {"level": "warning", "since": "15m", "text": "Boom", "service": "web", "correlation": "c", "order": "oldest"}
    page = page_asked(query, STAFF, NOW)
    assert page.filter == Filter(None, None, {"correlation": "c"}, "web", 2, "Boom", NOW - timedelta(minutes=15), None)
    assert (page.newest, page.limit, page.after) == (False, 200, None)
    assert page_asked({"next": Cursor(T0, 1, 2).text}, STAFF, NOW).after == Cursor(T0, 1, 2)
    assert page_asked({"since": "2026-11-28T13:00:00+01:00"}, STAFF, NOW).filter.since == T0
    assert tail_asked({}, ["a"], NOW).last == 50


@pytest.mark.parametrize(
    ("query", "step", "count"),
    [
        ({}, 60, 61), ({"since": "2m"}, 2, 61), ({"since": "1d"}, 900, 97), ({"since": "7d"}, 7200, 85),
        ({"since": "1h", "step": "5m"}, 300, 13), ({"since": "2026-11-28T12:00:00Z", "until": "2026-11-28T13:00:00Z"}, 30, 120),
        ({"since": "2026-11-28T12:00:30Z", "until": "2026-11-28T12:00:31Z", "step": "1m"}, 60, 1),
    ],
)  # fmt: skip
def test_a_histogram_has_at_most_120_steps(query: dict[str, str], step: int, count: int) -> None:
    got = counts_asked(query, STAFF, NOW)
    assert (got.step, got.count) == (step, count) and got.first.timestamp() % step == 0
    assert got.filter.since and got.filter.until and got.first <= got.filter.since
    assert got.first + timedelta(seconds=step * count) >= got.filter.until


def test_a_place_is_read_as_it_was_written() -> None:
    for place in (Place({0: 17, 5: 2**40}), Place({1: 1}, {2: 3}, Cursor(T0, -5, 9)), Place({}, {}, Cursor(T0, 1, 1))):
        assert place_of(place.text) == place
    assert place_of("") is None and place_of(Place({0: 0, 3: 4}).text) == Place({3: 4})
    for bad in ("x", "1.2~", "1.2~3.4", "1.2~3.4~zz", "-", "1.2.3", "1.²", "f" * 601):
        with pytest.raises(Invalid) as caught:
            place_of(bad)
        assert caught.value.problems[0].path == "Last-Event-ID"


def record(value: bytes, sent: datetime = T0) -> Record:
    return Record("lines", 2, 7, b"c1", value, int(sent.timestamp() * 1000))


def test_what_a_database_could_not_keep_is_mended() -> None:
    odd = line(1, text="a\0b", service="s" * 300, instance="\0i", facts={"x": "\0"})
    got = arrived(record(odd.encoded())).line
    assert (got.text, got.service, got.instance) == ("a\ufffdb", "s" * 200, "\ufffdi") and got.facts == {"x": "\0"}
    assert arrived(record(encoded(odd, time="2027-01-01T00:00:00Z"))).line.time == T0
    assert arrived(record(encoded(odd, time="2026-11-28T12:59:00Z"))).line.time == T0 + timedelta(minutes=59)
    assert arrived(record(encoded(odd, time="2026-11-28T12:00:00"))).line.time == T0
    assert "left_out" in arrived(record(encoded(odd, facts={"x": "y" * 40_000}))).line.facts
    plain = line(1, text="plain")
    one = arrived(record(plain.encoded()))
    assert one.line == plain and (one.shard, one.place) == (2, 7)


NO_LINES = (
    b"", b"{}", b"no json", b"\xff", json.dumps({"source": "a"}).encode(), encoded(line(0), level="loud"),
    encoded(line(0), position=-1), encoded(line(0), position=2**63), encoded(line(0), time="soon"),
)  # fmt: skip


@pytest.mark.parametrize("value", NO_LINES)
def test_what_is_no_line_is_said_with_its_reason(value: bytes) -> None:
    with pytest.raises(Invalid) as caught:
        arrived(record(value))
    assert caught.value.detail


class House:
    def __init__(self, days: float = 7, store: MemoryLines | None = None) -> None:
        self.clock, self.store = ManualClock(NOW), store or MemoryLines()
        self.records = MemoryRecords(self.clock)
        self.writer = Writer(self.records, self.store, self.clock, "g", days, 10**9)

    def found(self) -> list[str]:
        return [one.text for one in self.store.find(Filter(), None, False, 1000)]


def test_records_that_are_no_lines_are_counted_and_stop_nothing() -> None:
    house = House()
    send(house.records, [line(0), b"rubbish", line(1), encoded(line(2), level="loud"), line(3, -9 * 86400), line(4)])
    house.writer.work()
    assert house.found() == ["line 0", "line 1", "line 4"]
    assert (house.writer.kept, house.writer.unreadable, house.writer.late, house.writer.doubled) == (3, 2, 1, 0)
    house.writer.work()
    assert house.writer.unreadable == 2


class Picky(MemoryLines):
    """A home that some line breaks."""

    def write(self, entries: Any, shards: Any) -> int:
        if any("poison" in one.line.text for one in entries):
            raise ValueError("cannot be kept")
        return super().write(entries, shards)


def test_one_line_that_cannot_be_kept_does_not_hold_up_the_others() -> None:
    house = House(store=Picky())
    send(house.records, [line(n, n, text="poison" if n in (3, 8) else f"line {n}") for n in range(11)])
    house.writer.work()
    assert house.found() == [f"line {n}" for n in range(11) if n not in (3, 8)] and house.writer.unreadable == 2
    assert sum(house.store.shards().values()) == 11


class Slow(MemoryLines):
    """A home that gives up on many lines at once."""

    def write(self, entries: Any, shards: Any) -> int:
        if len(entries) > 300:
            raise Unavailable("it took too long")
        return super().write(entries, shards)


def test_what_takes_too_long_goes_in_smaller_parts() -> None:
    house = House(store=Slow())
    send(house.records, [line(n, n / 10) for n in range(1_000)])
    while len(house.found()) < 1_000:
        try:
            house.writer.work()
        except Unavailable:
            house.clock.advance(1)
    assert house.found() == [f"line {n}" for n in range(1_000)] and house.writer.doubled == 0
    house.writer.work()
    assert house.writer.away == "" and sum(house.store.shards().values()) == 1_000


def test_two_replicas_share_the_work_and_keep_each_line_once() -> None:
    house = House()
    other = Writer(house.records, house.store, house.clock, "g", 7, 10**9)
    for begin in range(0, 60, 20):
        send(house.records, [line(n, n, source=f"s{n % 7}") for n in range(begin, begin + 20)])
        house.writer.work()
        if begin:
            other.work()
    other.close()
    send(house.records, [line(n, n, source=f"s{n % 7}") for n in range(60, 70)])
    house.writer.work()
    assert house.found() == [f"line {n}" for n in range(70)]
    assert other.kept > 0 and house.writer.doubled + other.doubled == 0


def test_old_days_go_by_the_clock() -> None:
    house = House(days=2)
    send(house.records, [line(0), line(1, -86400)])
    house.writer.work()
    house.writer.look_after()
    assert house.found() == ["line 1", "line 0"]
    house.clock.advance(2 * 86400)
    house.writer.look_after()
    assert house.found() == ["line 0"]


def tail(house: House, story: Any) -> None:
    async def run() -> None:
        await asyncio.wait_for(story(Hub(lambda: house.records, house.store.shards, linger=0.5)), 20)

    asyncio.run(run())


async def more(subscriber: Subscriber) -> tuple[int, list[int]]:
    """A waiter may be woken for what it has already."""
    while True:
        dropped, came = await subscriber.more(5)
        if came:
            return dropped, [one.line.position for one in came]


def test_a_tail_that_joins_gets_what_is_not_kept_yet_and_each_line_once() -> None:
    house = House()
    send(house.records, [line(0), line(1)])
    house.writer.work()
    send(house.records, [line(2), line(3, deployment="other")])

    async def story(hub: Hub) -> None:
        assert not hub.reading
        first, second = Subscriber(Filter(exact={"deployment": "d1"})), Subscriber(Filter())
        assert hub.join(first) and hub.reading
        assert await more(first) == (0, [2])
        assert hub.join(second)
        assert await more(second) == (0, [2, 3])
        send(house.records, [line(4), line(2), line(4)])  # an agent that came back says some again
        assert await more(second) == (0, [4])
        hub.leave(first)
        hub.leave(second)
        eventually(lambda: not hub.reading, 5)

    tail(house, story)


def test_a_slow_reader_is_told_how_many_it_missed() -> None:
    house = House()

    async def story(hub: Hub) -> None:
        slow = Subscriber(Filter())
        hub.join(slow)
        send(house.records, [line(n) for n in range(MOST_WAITING + 30)])
        eventually(lambda: slow.dropped == 30, 5)
        assert await more(slow) == (30, list(range(30, MOST_WAITING + 30)))
        send(house.records, [line(10_000)])
        assert await more(slow) == (0, [10_000])

    tail(house, story)


def test_long_lines_are_bounded_by_their_length() -> None:
    house = House()

    async def story(hub: Hub) -> None:
        slow = Subscriber(Filter())
        hub.join(slow)
        send(house.records, [line(n, text="x" * 16_000) for n in range(1_500)])
        eventually(lambda: slow.dropped + len(slow.waiting) == 1_500, 10)
        assert slow.dropped > 500 and slow.waiting[-1].line.position == 1_499
        assert not hub.join(Subscriber(Filter())), "it remembers no more either"

    tail(house, story)


def test_a_tail_waits_where_more_is_unkept_than_is_remembered() -> None:
    house = House()

    async def story(hub: Hub) -> None:
        first, second = Subscriber(Filter()), Subscriber(Filter())
        hub.join(first)
        send(house.records, [line(n) for n in range(REMEMBERED + 5)])
        eventually(lambda: first.dropped + len(first.waiting) == REMEMBERED + 5, 10)
        assert not hub.join(second)
        house.writer.work()
        house.writer.work()  # the few behind the many
        assert hub.join(second) and not second.waiting

    tail(house, story)


def test_the_front_door_knows_the_way_and_is_patient_with_a_tail() -> None:
    assert NOUNS["lines"] == "logger" and DOCUMENTS["logger"] == "logger"
    written = render(Door())
    assert "backend logger\n" in written and "lines logger" in files(Door(), [])["nouns.map"].splitlines()
    backend = written.partition("backend logger\n")[2].partition("\nbackend ")[0]
    assert "set-timeout server 1h if { path_end /events }" in backend


def test_levels_are_numbers_in_their_order() -> None:
    assert [LEVELS.index(level) for level in LEVELS] == [0, 1, 2, 3, 4]
