"""Raw records on Kafka (confluent-kafka, librdkafka): for readings, streams, figures and lines, where speed counts."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition

from backbone.bus import partition_of
from backbone.bus.raw import BEGINNING, END, Done, Gained, Lost, Place, Record, RecordConsumer
from backbone.logs import get_log
from backbone.settings import Settings
from contracts.errors import Unavailable
from contracts.topics import Topic

log = get_log()

MOVED = (
    KafkaError.ILLEGAL_GENERATION, KafkaError.UNKNOWN_MEMBER_ID, KafkaError.REBALANCE_IN_PROGRESS,
    KafkaError._ASSIGNMENT_LOST, KafkaError._NO_OFFSET, KafkaError.FENCED_INSTANCE_ID,
)  # fmt: skip


def open_records(settings: Settings) -> KafkaRecords:
    """KAFKA_URL is host:port, several with commas; with KAFKA_USER SCRAM-SHA-512 by KAFKA_PASSWORD, else plaintext."""
    how: dict[str, Any] = {
        "bootstrap.servers": settings.text("KAFKA_URL"),
        "socket.keepalive.enable": True,
        "reconnect.backoff.max.ms": 1000,
        "socket.timeout.ms": 20_000,
        "allow.auto.create.topics": False,
    }
    if user := settings.text("KAFKA_USER", ""):
        how |= {
            "security.protocol": "SASL_PLAINTEXT",
            "sasl.mechanisms": "SCRAM-SHA-512",
            "sasl.username": user,
            "sasl.password": settings.secret("KAFKA_PASSWORD").reveal(),
        }
    settings.check()
    return KafkaRecords(how)


class KafkaRecords:
    """`how` is what every librdkafka client takes. Nothing is connected before the first verb."""

    def __init__(self, how: dict[str, Any]) -> None:
        self._how = how
        self._producer: Producer | None = None
        self._dead = False
        self._trouble = ""
        self._lock = threading.RLock()

    def send(self, topic: Topic, key: bytes, value: bytes, done: Done) -> None:
        def settled(error: KafkaError | None, _: Message) -> None:
            done(Unavailable(f"Kafka did not acknowledge: {error}") if error else None)

        try:
            self._open().produce(topic.name, value, key, partition_of(topic, key), settled)
        except BufferError as error:
            raise Unavailable("too many records wait for Kafka's acknowledgement; try again shortly") from error
        except KafkaException as error:
            raise self._away("did not take the record", error) from error

    def poll(self, seconds: float = 0.0) -> int:
        return self._open().poll(seconds)

    def flush(self, seconds: float) -> None:
        if waiting := self._open().flush(seconds):
            raise Unavailable(f"{waiting} records were not acknowledged within {seconds} s. {self._trouble}")

    def consumer(
        self,
        group: str | None,
        topics: Sequence[Topic],
        offsets: Mapping[Place, int] | None = None,
        gained: Gained | None = None,
        lost: Lost | None = None,
    ) -> RecordConsumer:
        consumer = KafkaRecordConsumer(self._how, group, gained, lost)
        if group:
            consumer.subscribe(topics)
        else:
            every = {(topic.name, n): BEGINNING for topic in topics for n in range(topic.partitions)}
            consumer.assign(every if offsets is None else offsets)
        return consumer

    def ready(self) -> None:
        try:
            self._open().list_topics(timeout=5)
        except KafkaException as error:
            raise self._away("does not answer", error) from error

    def close(self) -> None:
        with self._lock:
            self._producer = None

    def _open(self) -> Producer:
        """Again after a fatal error, which an idempotent producer does not survive."""
        with self._lock:
            if self._producer and self._dead:
                dead, self._producer, self._dead = self._producer, None, False
                dead.purge()
                dead.flush(1)  # calls `done` with the error for all that it still held
            if not self._producer:
                self._producer = Producer(
                    self._how
                    | {
                        "error_cb": self._failed,
                        "enable.idempotence": True,
                        "acks": "all",
                        "linger.ms": 5,
                        "message.timeout.ms": 20_000,
                        "queue.buffering.max.messages": 100_000,
                        "queue.buffering.max.kbytes": 65_536,
                    }
                )
            return self._producer

    def _failed(self, error: KafkaError) -> None:
        self._trouble = str(error)
        self._dead = self._dead or error.fatal()
        trouble(error)

    def _away(self, what: str, error: BaseException) -> Unavailable:
        return Unavailable(f"Kafka {what}: {error}. {self._trouble}; see that the broker at KAFKA_URL runs")


class KafkaRecordConsumer:
    def __init__(self, how: dict[str, Any], group: str | None, gained: Gained | None, lost: Lost | None) -> None:
        self._group, self._gained, self._lost = group, gained, lost
        self._at: dict[Place, int] = {}
        self._new: set[Place] = set()
        self._consumer = Consumer(
            how
            | {
                "error_cb": trouble,
                "group.id": group or "alone",  # librdkafka wants a name; a consumer that never commits makes no group
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "auto.offset.reset": "earliest",
                "partition.assignment.strategy": "cooperative-sticky",
                "session.timeout.ms": 6000,
                "heartbeat.interval.ms": 1500,
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
        first = self._consumer.poll(seconds)
        if self._new:
            self._begin()
        if first is None:
            return []
        came = [first, *(self._consumer.consume(most - 1, 0) if most > 1 else ())]
        records = [record for message in came if (record := self._record(message))]
        self._at.update({(record.topic, record.partition): record.offset + 1 for record in records})
        return records

    def assign(self, offsets: Mapping[Place, int]) -> None:
        self._at = {place: self._end(place) if offset == END else offset for place, offset in offsets.items()}
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
        self._consumer.close()

    def _end(self, place: Place) -> int:
        """Asked now: librdkafka would find its END later, behind what was sent meanwhile."""
        try:
            return self._consumer.get_watermark_offsets(TopicPartition(*place), timeout=5)[1]
        except KafkaException as error:
            raise Unavailable(f"Kafka does not say where {place} ends: {error}") from error

    def _on_assign(self, consumer: Consumer, places: list[TopicPartition]) -> None:
        """Held still where the caller keeps the offsets: an error from it must reach poll's caller, not librdkafka."""
        consumer.incremental_assign(places)
        if self._gained and places:
            consumer.pause(places)
            self._new.update((p.topic, p.partition) for p in places)

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


def trouble(error: KafkaError) -> None:
    """A wrong password shows only here; to all else it looks like a broker that is slow to answer."""
    if error.code() == KafkaError._AUTHENTICATION:
        log.error("kafka_refuses_login", reason=str(error), hint="KAFKA_USER and KAFKA_PASSWORD do not match")
    else:
        log.warning("kafka_trouble", code=error.name(), reason=str(error))
