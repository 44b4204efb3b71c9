"""The bus on the records port: envelopes as bytes, so that one Kafka client carries everything a process says and hears."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence

from backbone.bus import Consumer, Reader, Received, Said, decode, encode
from backbone.bus.raw import BEGINNING, Place, Record, RecordConsumer, Records
from backbone.clock import Clock
from backbone.logs import get_log
from contracts.errors import Unavailable
from contracts.message import Envelope
from contracts.topics import Topic

log = get_log()
PATIENCE = 10.0
"""Seconds that reading to the end may go without a record."""
ACKNOWLEDGED = 20.0
"""Seconds for the acknowledgement of all that one `send` was given."""
MOST = 500
MEMBER_QUIET = 4.0
"""A place that comes to a member later is read only when the question in hand is answered, so this is kept short."""
READER_QUIET = 5.0
"""A reader's places never change; but what comes to one of them in its first moments may wait so long."""
EAGER = 0.1
TURN = 0.1
STEP = 0.02


class RecordsBus:
    def __init__(self, records: Records, clock: Clock) -> None:
        self._records, self._clock = records, clock
        self._turn = threading.Lock()

    def send(self, said: Sequence[Said]) -> None:
        batch = Batch(len(said))
        deadline = self._clock.monotonic() + ACKNOWLEDGED
        for topic, key, envelope in said:
            self._records.send(topic, key.encode(), encode(envelope), batch.settled)
        while batch.waits:
            self._settle(batch)
            if batch.waits and self._clock.monotonic() > deadline:
                raise Unavailable(f"{batch.waits} messages were not acknowledged within {ACKNOWLEDGED:g} s")
        if batch.trouble:
            raise batch.trouble

    def _settle(self, batch: Batch) -> None:
        """One thread looks for acknowledgements, for all that wait for theirs."""
        if not self._turn.acquire(blocking=False):
            batch.wait(STEP)
            return
        try:
            if batch.waits:
                self._records.poll(TURN)
        finally:
            self._turn.release()

    def consumer(self, group: str, topics: Sequence[Topic]) -> Consumer:
        self._records.ready()
        return GroupConsumer(self._records, group, topics)

    def reader(self, *topics: Topic, together: float = 0.0) -> Reader:
        return TopicReader(self._records, topics, self._clock, together)

    def ready(self) -> None:
        self._records.ready()

    def close(self) -> None:
        self._records.close()


class Batch:
    """What one `send` waits for."""

    def __init__(self, waits: int) -> None:
        self.waits = waits
        self.trouble: Exception | None = None
        self._all, self._lock = threading.Event(), threading.Lock()

    def settled(self, error: Exception | None) -> None:
        with self._lock:
            self.waits -= 1
            self.trouble = self.trouble or error
            if not self.waits:
                self._all.set()

    def wait(self, seconds: float) -> None:
        self._all.wait(seconds)


class GroupConsumer:
    def __init__(self, records: Records, group: str, topics: Sequence[Topic]) -> None:
        self._topics = {topic.name: topic for topic in topics}
        self._consumer = records.consumer(group, topics, quiet=MEMBER_QUIET)

    def poll(self, seconds: float) -> list[Received]:
        return [self._received(record) for record in self._consumer.poll(MOST, seconds)]

    def commit(self) -> None:
        self._consumer.commit()

    def close(self) -> None:
        self._consumer.close()

    def _received(self, record: Record) -> Received:
        position = f"{record.topic}/{record.partition}/{record.offset}"
        key = record.key.decode(errors="replace")
        return Received(self._topics[record.topic], key, decode(record.value), record.value, position)


class TopicReader:
    """Reads to the end with one consumer and on with another, whose questions lie long with the broker: on the same line, what
    comes to one place would wait for a question about the others."""

    def __init__(self, records: Records, topics: Sequence[Topic], clock: Clock, together: float) -> None:
        self._records, self._topics, self._clock, self._together = records, topics, clock, together
        self._places = [(topic.name, n) for topic in topics for n in range(topic.partitions)]
        self._next: dict[Place, int] = dict.fromkeys(self._places, BEGINNING)
        self._tail: RecordConsumer | None = None
        records.ready()

    def read_to_end(self) -> list[Envelope]:
        self.close()
        consumer = self._records.consumer(None, self._topics, {}, quiet=EAGER)
        try:
            spans = consumer.spans(self._places)
            self._next = {place: max(first, self._next[place]) for place, (first, _) in spans.items()}
            consumer.assign(self._next)
            return self._decoded(self._all(consumer, {place: end for place, (_, end) in spans.items()}))
        finally:
            consumer.close()

    def skip(self) -> None:
        self.close()
        consumer = self._records.consumer(None, self._topics, {})
        try:
            self._next = {place: end for place, (_, end) in consumer.spans(self._places).items()}
        finally:
            consumer.close()

    def poll(self, seconds: float) -> list[Envelope]:
        if self._tail is None:
            self._tail = self._records.consumer(None, self._topics, self._next, quiet=READER_QUIET, together=self._together)
        return self._decoded(self._given(self._tail, seconds))

    def close(self) -> None:
        if self._tail is not None:
            self._tail.close()
            self._tail = None

    def _all(self, consumer: RecordConsumer, ends: Mapping[Place, int]) -> list[Record]:
        deadline = self._clock.monotonic() + PATIENCE
        heard: list[Record] = []
        while any(self._next[place] < end for place, end in ends.items()):
            if more := self._given(consumer, 0.2):
                deadline = self._clock.monotonic() + PATIENCE
            elif self._clock.monotonic() > deadline:
                raise Unavailable(f"Kafka gave nothing new of {self._places[0][0]} for {PATIENCE:g} s")
            heard += more
        return heard

    def _given(self, consumer: RecordConsumer, seconds: float) -> list[Record]:
        records = consumer.poll(MOST, seconds)
        self._next |= {(one.topic, one.partition): one.offset + 1 for one in records}
        return records

    def _decoded(self, records: Sequence[Record]) -> list[Envelope]:
        heard = []
        for one in records:
            if envelope := decode(one.value):
                heard.append(envelope)
            else:
                log.warning("not_an_envelope", topic=one.topic, partition=one.partition, offset=one.offset)
        return heard
