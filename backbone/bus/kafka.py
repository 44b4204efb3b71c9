"""The bus on Kafka (kafka-python): what the parts say to each other, where order and safety count before speed."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition  # type: ignore[import-untyped]
from kafka.errors import (  # type: ignore[import-untyped]
    CommitFailedError,
    IllegalGenerationError,
    KafkaError,
    RebalanceInProgressError,
    UnknownMemberIdError,
)

from backbone.bus import Consumer, Reader, Received, Said, decode, encode, partition_of
from backbone.clock import Clock
from backbone.logs import get_log
from backbone.settings import Settings
from contracts.errors import Unavailable
from contracts.message import Envelope
from contracts.topics import Topic

log = get_log()

PATIENCE = 10.0
"""Seconds that one verb may wait for the broker."""

GREETING = 10.0
"""Seconds that a client tries to reach the first broker: each try begins anew, so on a busy machine a short one never ends."""

SESSION = 6.0
"""Seconds of silence after which the group gives a dead member's partitions to others; brokers allow no less."""

LONGEST_WORK = 60.0
"""Seconds between two polls after which a member counts as hung, and the longest that a new member waits for it."""

MOVED = (CommitFailedError, IllegalGenerationError, RebalanceInProgressError, UnknownMemberIdError)


def open_bus(settings: Settings, clock: Clock) -> KafkaBus:
    """KAFKA_URL is host:port, several with commas; with KAFKA_USER SCRAM-SHA-512 by KAFKA_PASSWORD, else plaintext."""
    how: dict[str, Any] = {
        "bootstrap_servers": settings.text("KAFKA_URL").split(","),
        "bootstrap_timeout_ms": int(GREETING * 1000),
        "request_timeout_ms": int(PATIENCE * 1000),
        "reconnect_backoff_max_ms": 1000,
    }
    if user := settings.text("KAFKA_USER", ""):
        how |= {
            "security_protocol": "SASL_PLAINTEXT",
            "sasl_mechanism": "SCRAM-SHA-512",
            "sasl_plain_username": user,
            "sasl_plain_password": settings.secret("KAFKA_PASSWORD").reveal(),
        }
    settings.check()
    return KafkaBus(how, clock)


class KafkaBus:
    """`how` is what every kafka-python client takes. Nothing is connected before the first verb."""

    def __init__(self, how: dict[str, Any], clock: Clock) -> None:
        self._how, self._clock = how, clock
        self._producer: Any = None
        self._admin: Any = None
        self._lock = threading.Lock()

    def send(self, said: Sequence[Said]) -> None:
        producer = self._open_producer()
        deadline = self._clock.monotonic() + 2 * PATIENCE
        try:
            promises = []
            for topic, key, envelope in said:
                name = key.encode()
                promises.append(producer.send(topic.name, encode(envelope), name, partition=partition_of(topic, name)))
            for promise in promises:
                promise.get(timeout=max(0.0, deadline - self._clock.monotonic()))
        except (KafkaError, AssertionError) as error:
            self._drop(producer)  # an idempotent producer that gave up a record can refuse all that follow
            raise away("did not acknowledge", error) from error

    def consumer(self, group: str, topics: Sequence[Topic]) -> Consumer:
        return KafkaGroupConsumer(self._how, group, topics)

    def reader(self, topic: Topic) -> Reader:
        return KafkaReader(self._how, self._clock, topic)

    def ready(self) -> None:
        with self._lock:
            try:
                self._admin = self._admin or KafkaAdminClient(**self._how)
                self._admin.describe_cluster()
            except KafkaError as error:
                raise away("does not answer", error) from error

    def close(self) -> None:
        with self._lock:
            producer, admin, self._producer, self._admin = self._producer, self._admin, None, None
        if producer:
            shut(producer, 1)
        if admin:
            admin.close()

    def _open_producer(self) -> Any:
        with self._lock:
            if not self._producer:
                try:
                    self._producer = KafkaProducer(
                        acks="all",
                        enable_idempotence=True,
                        allow_auto_create_topics=False,
                        metrics_enabled=False,
                        delivery_timeout_ms=int(1.5 * PATIENCE * 1000),
                        max_block_ms=int(PATIENCE * 1000),
                        **self._how,
                    )
                except KafkaError as error:
                    raise away("does not answer", error) from error
            return self._producer

    def _drop(self, producer: Any) -> None:
        with self._lock:
            if self._producer is producer:
                self._producer = None
        shut(producer, 0)


class KafkaGroupConsumer:
    def __init__(self, how: dict[str, Any], group: str, topics: Sequence[Topic]) -> None:
        self._topics = {topic.name: topic for topic in topics}
        self._consumer = open_consumer(
            how,
            group_id=group,
            session_timeout_ms=int(SESSION * 1000),
            heartbeat_interval_ms=int(SESSION * 1000 / 4),
            max_poll_interval_ms=int(LONGEST_WORK * 1000),
        )
        self._consumer.subscribe(list(self._topics))

    def poll(self, seconds: float) -> list[Received]:
        try:
            batches = self._consumer.poll(timeout_ms=int(seconds * 1000))
        except KafkaError as error:
            raise away("could not be asked", error) from error
        return [self._received(record) for records in batches.values() for record in records]

    def commit(self) -> None:
        try:
            self._consumer.commit(timeout_ms=int(PATIENCE * 1000))
        except MOVED as error:
            log.warning("commit_came_late", reason=str(error))
        except KafkaError as error:
            raise away("did not take the commit", error) from error

    def close(self) -> None:
        self._consumer.close(autocommit=False, timeout_ms=1000)

    def _received(self, record: Any) -> Received:
        key = (record.key or b"").decode(errors="replace")
        raw = record.value or b""
        position = f"{record.topic}/{record.partition}/{record.offset}"
        return Received(self._topics[record.topic], key, decode(raw), raw, position)


class KafkaReader:
    def __init__(self, how: dict[str, Any], clock: Clock, topic: Topic) -> None:
        self._clock = clock
        self._places = [TopicPartition(topic.name, n) for n in range(topic.partitions)]
        self._consumer = open_consumer(how, group_id=None)
        self._consumer.assign(self._places)
        self._consumer.seek_to_beginning()

    def read_to_end(self) -> list[Envelope]:
        deadline = self._clock.monotonic() + PATIENCE
        heard: list[Envelope] = []
        try:
            ends = self._consumer.end_offsets(self._places, timeout_ms=int(PATIENCE * 1000))
            while any(self._position(place) < end for place, end in ends.items()):
                if not (more := self.poll(0.2)) and self._clock.monotonic() > deadline:
                    raise Unavailable(f"Kafka gave nothing new of {self._places[0].topic} for {PATIENCE} s")
                if more:
                    deadline = self._clock.monotonic() + PATIENCE
                heard += more
        except KafkaError as error:
            raise away("could not be read", error) from error
        return heard

    def skip(self) -> None:
        try:
            for place, end in self._consumer.end_offsets(self._places, timeout_ms=int(PATIENCE * 1000)).items():
                self._consumer.seek(place, end)
        except KafkaError as error:
            raise away("could not be read", error) from error

    def poll(self, seconds: float) -> list[Envelope]:
        try:
            batches = self._consumer.poll(timeout_ms=int(seconds * 1000))
        except KafkaError as error:
            raise away("could not be read", error) from error
        heard = []
        for record in (record for records in batches.values() for record in records):
            if envelope := decode(record.value or b""):
                heard.append(envelope)
            else:
                log.warning("not_an_envelope", topic=record.topic, partition=record.partition, offset=record.offset)
        return heard

    def close(self) -> None:
        self._consumer.close(autocommit=False, timeout_ms=1000)

    def _position(self, place: Any) -> int:
        position: int | None = self._consumer.position(place, timeout_ms=int(PATIENCE * 1000))
        return -1 if position is None else position


def shut(producer: Any, seconds: float) -> None:
    """Also where records are still under way: then kafka-python's close raises and would leave its thread behind."""
    try:
        producer.close(timeout=seconds)
    except KafkaError:
        producer._sender.force_close()


def open_consumer(how: dict[str, Any], **more: Any) -> Any:
    try:
        return KafkaConsumer(
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            allow_auto_create_topics=False,
            metrics_enabled=False,
            **how,
            **more,
        )
    except KafkaError as error:
        raise away("does not answer", error) from error


def away(what: str, error: BaseException) -> Unavailable:
    return Unavailable(f"Kafka {what}: {error}; see that the broker at KAFKA_URL runs and takes KAFKA_USER's password")
