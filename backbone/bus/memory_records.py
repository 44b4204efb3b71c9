"""The records' memory twin."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping, Sequence

from backbone.bus.memory_log import Member, MemoryLog
from backbone.bus.raw import BEGINNING, END, QUIET, Done, Gained, Lost, Place, Record, RecordConsumer
from backbone.clock import Clock, ManualClock
from contracts.errors import Unavailable
from contracts.topics import Topic


class MemoryRecords:
    """Records on one log are one broker. `hold` keeps what is sent from being acknowledged until it is set to False."""

    def __init__(self, clock: Clock | None = None, log: MemoryLog | None = None) -> None:
        self.log = log or MemoryLog()
        self._clock = clock or ManualClock()
        self.hold = False
        self._settled: deque[tuple[Done, Exception | None]] = deque()
        self._lock = threading.Lock()

    def send(self, topic: Topic, key: bytes, value: bytes, done: Done) -> None:
        error: Exception | None = None
        try:
            self.log.append(topic, key, value, int(self._clock.now().timestamp() * 1000))
        except Unavailable as away:
            error = away
        with self._lock:
            self._settled.append((done, error))

    def poll(self, seconds: float = 0.0) -> int:
        called = 0
        while not self.hold:
            with self._lock:
                if not self._settled:
                    break
                done, error = self._settled.popleft()
            done(error)
            called += 1
        return called

    def flush(self, seconds: float) -> None:
        self.poll()
        if self._settled:
            raise Unavailable(f"{len(self._settled)} records were not acknowledged within {seconds} s")

    def consumer(
        self,
        group: str | None,
        topics: Sequence[Topic],
        offsets: Mapping[Place, int] | None = None,
        gained: Gained | None = None,
        lost: Lost | None = None,
        quiet: float = QUIET,
        together: float = 0.0,
    ) -> RecordConsumer:
        self.log.check()
        consumer = MemoryRecordConsumer(self.log, group, topics, gained, lost)
        if not group:
            every = {(topic.name, n): BEGINNING for topic in topics for n in range(topic.partitions)}
            consumer.assign(every if offsets is None else offsets)
        return consumer

    def ready(self) -> None:
        self.log.check()

    def close(self) -> None:
        pass


class MemoryRecordConsumer:
    def __init__(
        self, log: MemoryLog, group: str | None, topics: Sequence[Topic], gained: Gained | None, lost: Lost | None
    ) -> None:
        self._log = log
        self._member = Member(log, group or "", topics)
        self._gained = gained or (lambda places: {})
        self._lost = lost or (lambda places: None)

    def poll(self, most: int, seconds: float) -> list[Record]:
        entries = self._member.poll(most, seconds, self._given, self._lost)
        return [Record(e.topic, e.partition, e.offset, e.key, e.value, e.time_ms) for e in entries]

    def assign(self, offsets: Mapping[Place, int]) -> None:
        self._member.positions = {place: self._at(place, offset) for place, offset in offsets.items()}

    def seek(self, place: Place, offset: int) -> None:
        self._member.positions[place] = self._at(place, offset)

    def held(self) -> list[Place]:
        return sorted(self._member.positions)

    def spans(self, places: Sequence[Place]) -> Mapping[Place, tuple[int, int]]:
        self._log.check()
        return {place: (0, self._log.end(place)) for place in places}

    def commit(self) -> None:
        self._member.commit()

    def close(self) -> None:
        self._member.close()

    def _given(self, places: list[Place]) -> Mapping[Place, int]:
        return {place: self._at(place, offset) for place, offset in self._gained(places).items()}

    def _at(self, place: Place, offset: int) -> int:
        return {BEGINNING: 0, END: self._log.end(place)}.get(offset, offset)
