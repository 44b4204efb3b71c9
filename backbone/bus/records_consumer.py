"""How raw records are read from Kafka (confluent-kafka, librdkafka): alone, or as a member of a group."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from backbone.bus.raw import END, Gained, Lost, Place, Record
from backbone.logs import Seldom, get_log
from contracts.errors import Unavailable
from contracts.topics import Topic

log = get_log()
seldom = Seldom()
GREETING = 10.0
"""Seconds for the first answer: on a busy machine a login alone takes long."""

MOVED = (
    KafkaError.ILLEGAL_GENERATION, KafkaError.UNKNOWN_MEMBER_ID, KafkaError.REBALANCE_IN_PROGRESS,
    KafkaError._ASSIGNMENT_LOST, KafkaError._NO_OFFSET, KafkaError.FENCED_INSTANCE_ID,
)  # fmt: skip


def whole(seconds: float) -> float:
    """Up to the next millisecond, for librdkafka waits whole ones only: a wait cut short would be followed by several that are none."""
    return math.ceil(seconds * 1000) / 1000 + 0.0005 if seconds else 0.0


class KafkaRecordConsumer:
    def __init__(self, how: dict[str, Any], group: str | None, gained: Gained | None, lost: Lost | None) -> None:
        self._group, self._gained, self._lost = group, gained, lost
        self.closed = False
        self._at: dict[Place, int] = {}
        self._new: set[Place] = set()
        self._how = how | {"error_cb": trouble}
        self._consumer = Consumer(
            self._how
            | {
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "auto.offset.reset": "earliest",
                "partition.assignment.strategy": "cooperative-sticky",
                "session.timeout.ms": 6000,
                "heartbeat.interval.ms": 2000,
                "max.poll.interval.ms": 60_000,
                "queued.max.messages.kbytes": 16_384,
                "fetch.queue.backoff.ms": 50,
            }
        )

    def subscribe(self, topics: Sequence[Topic]) -> None:
        names = [topic.name for topic in topics]
        self._consumer.subscribe(names, on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_revoke)

    def poll(self, most: int, seconds: float) -> list[Record]:
        if self._new:
            self._begin()
        first = self._consumer.poll(whole(seconds))
        if self._new:
            self._begin()
        if first is None:
            return []
        came = [first, *(self._consumer.consume(most - 1, 0) if most > 1 else ())]
        records = [record for message in came if (record := self._record(message))]
        self._at.update({(record.topic, record.partition): record.offset + 1 for record in records})
        return records

    def assign(self, offsets: Mapping[Place, int]) -> None:
        ends = self.spans([place for place, offset in offsets.items() if offset == END])
        self._at = {place: ends[place][1] if offset == END else offset for place, offset in offsets.items()}
        self._consumer.assign([TopicPartition(*place, offset) for place, offset in self._at.items()])

    def seek(self, place: Place, offset: int) -> None:
        """By taking the place anew: librdkafka's own seek fails on a place that it has not begun to fetch."""
        if not self._group:
            return self.assign({**self._at, place: offset})
        self._at.pop(place, None)
        self._consumer.incremental_unassign([TopicPartition(*place)])
        at = self._end(place) if offset == END else offset
        self._consumer.incremental_assign([TopicPartition(*place, at)])

    def held(self) -> list[Place]:
        return sorted((p.topic, p.partition) for p in self._consumer.assignment())

    def commit(self) -> None:
        if not self._group or not self._at:
            return
        try:
            self._consumer.commit(
                offsets=[TopicPartition(*place, offset) for place, offset in self._at.items()], asynchronous=False
            )
        except KafkaException as error:
            if error.args[0].code() not in MOVED:
                raise Unavailable(f"Kafka did not take the commit: {error}; the records may come again") from error
            log.warning("commit_came_late", reason=str(error))
        self._at.clear()

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            self._consumer.close()

    def spans(self, places: Sequence[Place]) -> Mapping[Place, tuple[int, int]]:
        """Asked now, while nothing is read yet: later the question would wait behind the one for records, so that another asks it."""
        if not self._consumer.assignment():
            return {place: _span(self._consumer, place) for place in places}
        asker = Consumer(self._how)
        try:
            return {place: _span(asker, place) for place in places}
        finally:
            asker.close()

    def _end(self, place: Place) -> int:
        """librdkafka would find its END later, behind what was sent meanwhile."""
        return self.spans([place])[place][1]

    def _on_assign(self, consumer: Consumer, places: list[TopicPartition]) -> None:
        """Held still where the caller keeps the offsets: an error from it must reach poll's caller, not librdkafka."""
        consumer.incremental_assign(places if self._gained else self._placed(places))
        if self._gained and places:
            consumer.pause(places)
            self._new.update((p.topic, p.partition) for p in places)

    def _placed(self, places: list[TopicPartition]) -> list[TopicPartition]:
        """With the offsets at which to begin, so that all are asked for at once: librdkafka would look for each that the group has
        not committed, and the last would wait behind the first's long question for records."""
        try:
            known = self._consumer.committed(places, timeout=GREETING) if places else []
            if any(p.error for p in known):
                return places
            firsts = self.spans([(p.topic, p.partition) for p in known if p.offset < 0])
        except (KafkaException, Unavailable) as error:
            log.warning("offsets_unknown", reason=str(error))
            return places
        return [TopicPartition(p.topic, p.partition, firsts[p.topic, p.partition][0] if p.offset < 0 else p.offset) for p in known]

    def _begin(self) -> None:
        places = sorted(self._new)
        given = self._gained(places) if self._gained else {}
        told = [TopicPartition(*place, given[place]) for place in places if place in given]
        if told:
            self._consumer.incremental_unassign([TopicPartition(p.topic, p.partition) for p in told])
            self._consumer.incremental_assign(told)
        self._consumer.resume([TopicPartition(*place) for place in places])
        self._new.clear()

    def _on_revoke(self, consumer: Consumer, places: list[TopicPartition]) -> None:
        gone = [(p.topic, p.partition) for p in places]
        for place in gone:
            self._at.pop(place, None)
        known = [place for place in gone if place not in self._new]
        self._new.difference_update(gone)
        if self._lost and known:
            self._lost(known)
        consumer.incremental_unassign(places)

    def _record(self, message: Message) -> Record | None:
        if error := message.error():
            log.warning("kafka_trouble", code=error.name(), reason=str(error))
            return None
        topic, partition, offset = message.topic(), message.partition(), message.offset()
        assert topic is not None and partition is not None and offset is not None
        return Record(topic, partition, offset, message.key() or b"", message.value() or b"", message.timestamp()[1])


def _span(consumer: Consumer, place: Place) -> tuple[int, int]:
    try:
        return consumer.get_watermark_offsets(TopicPartition(*place), timeout=GREETING)
    except KafkaException as error:
        raise Unavailable(f"Kafka does not say where {place} ends: {error}") from error


def trouble(error: KafkaError) -> None:
    """A wrong password shows only here; to all else it looks like a broker that is slow to answer."""
    if error.code() == KafkaError._AUTHENTICATION:
        log.error("kafka_refuses_login", reason=str(error), hint="KAFKA_USER and KAFKA_PASSWORD do not match")
    elif (more := seldom(str(error))) is not None:
        log.warning("kafka_trouble", code=error.name(), reason=str(error), **more)
