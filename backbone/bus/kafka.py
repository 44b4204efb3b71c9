"""The bus on Kafka (kafka-python): what the parts say to each other, where order and safety count before speed."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

from kafka import KafkaAdminClient, KafkaProducer  # type: ignore[import-untyped]
from kafka.errors import KafkaError  # type: ignore[import-untyped]

from backbone.bus import Consumer, Reader, Said, encode, partition_of
from backbone.bus.kafka_consumers import PATIENCE, KafkaGroupConsumer, KafkaReader, away
from backbone.clock import Clock
from backbone.settings import Settings
from contracts.topics import Topic

GREETING = 10.0
"""Seconds that a client tries to reach the first broker: each try begins anew, so on a busy machine a short one never ends."""


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
        return KafkaGroupConsumer(self._how, self._clock, group, topics)

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


def shut(producer: Any, seconds: float) -> None:
    """Also where records are still under way: then kafka-python's close raises and would leave its thread behind."""
    try:
        producer.close(timeout=seconds)
    except KafkaError:
        producer._sender.force_close()
