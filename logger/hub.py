"""One reader of the topic's end for all tails of this process; while nobody listens there is none.

It begins where keeping has got to, and remembers the newest lines, so that a tail that joins gets all that is not kept yet.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable

from backbone.bus.raw import BEGINNING, Record, RecordConsumer, Records
from backbone.logs import get_log
from contracts.errors import Invalid
from contracts.topics import LINES
from logger.arrived import arrived
from logger.model import Entry, Filter, Shards

log = get_log()
MOST = 1_000
POLL = 0.25
REMEMBERED = 5_000
MOST_WAITING = 2_000
HEAVIEST = 16_000_000
"""Letters, roughly, that are remembered, or wait for one reader: lines may be long."""
KNOWN = 20_000
LINGER = 5.0
"""Seconds that the reader stays where nobody listens any more: a page that is loaded again finds it."""


class Subscriber:
    """`waiting` is bounded: where its reader is too slow the oldest are left out, and `dropped` counts them."""

    def __init__(self, filter: Filter) -> None:
        self.filter = filter
        self.waiting: deque[Entry] = deque()
        self.weight = self.dropped = 0
        self.lost = False
        self._loop, self._news, self._lock = asyncio.get_running_loop(), asyncio.Event(), threading.Lock()

    def push(self, one: Entry) -> None:
        with self._lock:
            self.waiting.append(one)
            self.weight += one.weight
            while len(self.waiting) > MOST_WAITING or self.weight > HEAVIEST:
                self.weight -= self.waiting.popleft().weight
                self.dropped += 1

    def wake(self) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._news.set)

    async def more(self, seconds: float) -> tuple[int, list[Entry]]:
        """How many were left out, and what came, waiting so long for the first."""
        if not self.waiting:
            self._news.clear()
            if not self.waiting and not self.lost:
                try:
                    await asyncio.wait_for(self._news.wait(), seconds)
                except TimeoutError:
                    return 0, []
        with self._lock:
            came, dropped = list(self.waiting), self.dropped
            self.waiting.clear()
            self.weight = self.dropped = 0
        return dropped, came


class Hub:
    """`kept` tells how far the topic is kept."""

    def __init__(self, records: Callable[[], Records], kept: Callable[[], dict[int, int]], linger: float = LINGER) -> None:
        self._records, self._kept, self._linger = records, kept, linger
        self._lock = threading.Lock()
        self._subscribers: list[Subscriber] = []
        self._newest: deque[Entry] = deque()
        self._weight = 0
        self._known: dict[tuple[int, int], None] = {}
        self._from: dict[int, int] = {}
        self._reader: RecordConsumer | None = None

    def join(self, subscriber: Subscriber) -> bool:
        """From now on it gets all that was not kept when this was called, and all that comes. Blocks for a moment.

        False: more waits to be kept than is remembered; ask again shortly. Unavailable.
        """
        kept = self._kept()
        with self._lock:
            if self._reader is None:
                self._open(kept)
            if any(at > kept.get(shard, 0) for shard, at in self._from.items()):
                return False
            for one in self._newest:
                if one.place >= kept.get(one.shard, 0) and subscriber.filter.takes(one):
                    subscriber.push(one)
            self._subscribers.append(subscriber)
        return True

    def leave(self, subscriber: Subscriber) -> None:
        with self._lock:
            if subscriber in self._subscribers:
                self._subscribers.remove(subscriber)

    def count(self) -> int:
        return len(self._subscribers)

    @property
    def reading(self) -> bool:
        return self._reader is not None

    def _open(self, kept: Shards) -> None:
        places = {(LINES.name, shard): kept.get(shard, BEGINNING) for shard in range(LINES.partitions)}
        self._reader = self._records().consumer(None, [LINES], places)
        self._from = {shard: kept.get(shard, 0) for shard in range(LINES.partitions)}
        threading.Thread(target=self._follow, args=(self._reader,), name="tail", daemon=True).start()

    def _follow(self, reader: RecordConsumer) -> None:
        """Until nobody has listened for a while."""
        alone = 0.0
        try:
            while alone < self._linger:
                if batch := reader.poll(MOST, POLL):
                    self._give([one for record in batch if (one := _entry(record))])
                with self._lock:
                    alone = 0.0 if self._subscribers else alone + POLL
                    if alone >= self._linger:
                        self._end()
        except Exception:
            log.exception("tail_broken")
            with self._lock:
                gone = self._subscribers
                self._end()
            for subscriber in gone:
                subscriber.lost = True
                subscriber.wake()
        finally:
            reader.close()

    def _end(self) -> None:
        self._reader, self._subscribers = None, []
        self._newest.clear()
        self._weight = 0
        self._known.clear()

    def _give(self, entries: list[Entry]) -> None:
        woken: dict[Subscriber, None] = {}
        with self._lock:
            for one in entries:
                key = (one.cursor.source, one.cursor.position)
                if key in self._known:  # said again, after an agent came back
                    continue
                self._known[key] = None
                self._remember(one)
                for subscriber in self._subscribers:
                    if subscriber.filter.takes(one):
                        subscriber.push(one)
                        woken[subscriber] = None
            while len(self._known) > KNOWN:
                del self._known[next(iter(self._known))]
        for subscriber in woken:
            subscriber.wake()

    def _remember(self, one: Entry) -> None:
        self._newest.append(one)
        self._weight += one.weight
        while len(self._newest) > REMEMBERED or self._weight > HEAVIEST:
            gone = self._newest.popleft()
            self._weight -= gone.weight
            self._from[gone.shard] = max(self._from.get(gone.shard, 0), gone.place + 1)


def _entry(record: Record) -> Entry | None:
    """None: it is no line; the writer says so."""
    try:
        return arrived(record)
    except Invalid:
        return None
