"""Lines through the real Kafka into the real PostgreSQL and to who follows: none lost, none doubled, seen at once."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from contracts.lines import Line
from contracts.topics import LINES
from tests.support.lines import line, send
from tests.support.logger_real import CLOCK, Follower, LoggerHouse, logger_house
from tests.support.process import eventually

pytestmark = pytest.mark.real
SOURCES = 3


@pytest.fixture
def house() -> Iterator[LoggerHouse]:
    with logger_house() as house:
        yield house
        print("".join(said for said in house.said if '"level": "info"' not in said)[-5000:])


def printed(house: LoggerHouse, n: int) -> Line:
    """Line n of this test: it comes from one of a few containers, and is the n-th of all in time."""
    source = f"{house.deployment}-container-{n % SOURCES}"
    return line(n // SOURCES, source=source, begin=CLOCK.now(), text=f"line {n}", **house.whose)


def flow(house: LoggerHouse, count: int, a_second: int, told: Any = lambda n: None) -> None:
    began = time.monotonic()
    for start in range(0, count, 20):
        told(start)
        send(house.records, [printed(house, n) for n in range(start, start + 20)])
        time.sleep(max(0.0, began + (start + 20) / a_second - time.monotonic()))


def of_each_source(texts: list[str]) -> list[list[int]]:
    numbers = [int(text.split()[1]) for text in texts]
    return [[n for n in numbers if n % SOURCES == source] for source in range(SOURCES)]


def test_killed_in_the_midst_it_keeps_each_line_once_and_a_tail_sees_all(house: LoggerHouse) -> None:
    count, follower = 5_000, Follower(house)
    flowing = threading.Thread(target=flow, args=(house, count, 800))
    flowing.start()
    for part in (1_500, 3_500):
        eventually(lambda part=part: len(follower.seen) >= part, 60)  # type: ignore[misc]
        house.die()
        house.rise()
    flowing.join()
    wanted = of_each_source([f"line {n}" for n in range(count)])
    eventually(lambda: len(follower.seen) >= count, 60)
    eventually(lambda: len(house.kept()) >= count, 60)
    kept = house.kept()
    assert of_each_source([one["text"] for one in kept]) == wanted
    assert [one["text"] for one in kept] == [f"line {n}" for n in range(count)]
    assert len({one["id"] for one in kept}) == count
    assert of_each_source(follower.texts()) == wanted and follower.dropped == 0
    follower.close()


def test_what_is_printed_is_seen_within_a_second(house: LoggerHouse) -> None:
    sent: dict[int, float] = {}

    def told(start: int) -> None:
        sent.update({n: time.monotonic() for n in range(start, start + 20)})

    house.catch_up()
    follower = Follower(house)
    assert follower.began.wait(10)
    flow(house, 2_000, 200, told)
    eventually(lambda: len(follower.seen) >= 2_000 + LINES.partitions, 10)
    took = sorted(at - sent[int(text.split()[1])] for at, text in follower.seen if text.startswith("line"))
    print(f"seen after: median {statistics.median(took) * 1000:.0f} ms, p99 {took[1980] * 1000:.0f} ms, most {took[-1] * 1000:.0f} ms")
    assert took[1980] < 1.0
    follower.close()
