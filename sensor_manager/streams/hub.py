"""One tail of the topic `streams` for all subscribers of this process; each gets its deployment's readings, or its share of them."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from zlib import crc32

from backbone.bus.raw import END, Record, RecordConsumer, Records
from backbone.logs import get_log
from contracts.errors import Invalid
from contracts.topics import STREAMS
from sensor_manager.reading import Reading, unpacked

log = get_log()
MOST_WAITING = 10_000
QUIET = 5.0
"""Seconds that one question for all 64 places lies with the broker while nothing comes."""
Position = tuple[int, int]
"""Offset in the deployment's partition, and which reading of the record."""


@dataclass(frozen=True, slots=True)
class Routed:
    position: Position
    reading: Reading


@dataclass(eq=False)
class Subscriber:
    """`share` names the group that divides the readings among its members; "" gets all. `sensors` are those it may have."""

    deployment: str
    sensors: frozenset[str]
    share: str
    waiting: deque[Routed] = field(default_factory=deque)
    lost: bool = False

    def __post_init__(self) -> None:
        self._loop, self._news = asyncio.get_running_loop(), asyncio.Event()

    async def more(self, seconds: float) -> list[Routed]:
        """What came, waiting so long for the first."""
        if not self.waiting:
            self._news.clear()
            if not self.waiting:
                try:
                    await asyncio.wait_for(self._news.wait(), seconds)
                except TimeoutError:
                    return []
        return [self.waiting.popleft() for _ in range(len(self.waiting))]

    def push(self, routed: Routed) -> None:
        """A reader that is too slow is cut off: it comes again with the id it had last, and reads from Kafka."""
        if len(self.waiting) >= MOST_WAITING:
            self.lost = True
        else:
            self.waiting.append(routed)

    def wake(self) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._news.set)


class Hub:
    def __init__(self, records: Records) -> None:
        self._records = records
        self._consumer: RecordConsumer | None = None
        self._lock = threading.Lock()
        self._subscribers: dict[str, list[Subscriber]] = {}

    def open(self) -> None:
        ends = {(STREAMS.name, partition): END for partition in range(STREAMS.partitions)}
        self._consumer = self._records.consumer(None, [STREAMS], ends, quiet=QUIET)

    def work(self, seconds: float = 0.0) -> None:
        """Gives out what is new, waiting so long for the first; one thread."""
        if self._consumer is None:
            self.open()
        assert self._consumer is not None
        while batch := self._consumer.poll(5_000, seconds):
            seconds = 0.0
            woken: set[Subscriber] = set()
            for record in batch:
                for subscriber in self._subscribers.get(record.key.decode("utf-8", "replace"), ()):
                    for routed in self.wanted(subscriber, routed_of(record)):
                        subscriber.push(routed)
                        woken.add(subscriber)
            for subscriber in woken:
                subscriber.wake()

    def join(self, subscriber: Subscriber) -> None:
        with self._lock:
            others = self._subscribers.get(subscriber.deployment, [])
            self._subscribers = {**self._subscribers, subscriber.deployment: [*others, subscriber]}

    def leave(self, subscriber: Subscriber) -> None:
        with self._lock:
            left = [s for s in self._subscribers.get(subscriber.deployment, []) if s is not subscriber]
            others = {name: some for name, some in self._subscribers.items() if name != subscriber.deployment}
            self._subscribers = {**others, subscriber.deployment: left} if left else others

    def count(self) -> int:
        return sum(len(some) for some in self._subscribers.values())

    def wanted(self, subscriber: Subscriber, routed: Iterable[Routed]) -> list[Routed]:
        """Of a deployment's readings those that this one gets: a sensor's always go to the same member of a share."""
        mine = [r for r in routed if r.reading.s in subscriber.sensors]
        if not subscriber.share or not mine:
            return mine
        members = [s for s in self._subscribers.get(subscriber.deployment, []) if s.share == subscriber.share]
        return [r for r in mine if not members or members[crc32(r.reading.s.encode()) % len(members)] is subscriber]

    def close(self) -> None:
        if self._consumer is not None:
            self._consumer.close()


def routed_of(record: Record) -> list[Routed]:
    try:
        return [Routed((record.offset, n), reading) for n, reading in enumerate(unpacked(record.value))]
    except Invalid:
        log.error("stream_record_broken", partition=record.partition, offset=record.offset)
        return []
