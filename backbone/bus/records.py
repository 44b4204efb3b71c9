"""Raw records on Kafka (confluent-kafka, librdkafka): for readings, streams, figures and lines, where speed counts."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from backbone.bus import partition_of
from backbone.bus.raw import BEGINNING, QUIET, Done, Gained, Lost, Place, RecordConsumer
from backbone.bus.records_consumer import GREETING, KafkaRecordConsumer, trouble
from backbone.logs import get_log
from backbone.settings import Settings
from contracts.errors import Unavailable
from contracts.topics import KEYS, Topic

log = get_log()
LINGER, PATIENCE = 0.005, 20.0
GATHERED = 1_000_000
"""Bytes that are enough to answer at once where records may be kept back; far more than comes in that time."""



def open_records(settings: Settings, linger: float = LINGER, patience: float = PATIENCE) -> KafkaRecords:
    """`linger`: seconds that a record may wait for others; `patience`: those after which it counts as not acknowledged.

    KAFKA_URL is host:port, several with commas; with KAFKA_USER SCRAM-SHA-512 by KAFKA_PASSWORD, else plaintext."""
    how: dict[str, Any] = {
        "bootstrap.servers": settings.text("KAFKA_URL"),
        "socket.keepalive.enable": True,
        "socket.nagle.disable": True,
        "reconnect.backoff.max.ms": 1000,
        "socket.timeout.ms": 20_000,
        "allow.auto.create.topics": False,
        "logger": logging.getLogger("librdkafka"),  # as lines of ours, and none from a client that is closing
    }
    if user := settings.text("KAFKA_USER", ""):
        how |= {
            "security.protocol": "SASL_PLAINTEXT",
            "sasl.mechanisms": "SCRAM-SHA-512",
            "sasl.username": user,
            "sasl.password": settings.secret("KAFKA_PASSWORD").reveal(),
        }
    settings.check()
    return KafkaRecords(how, linger, patience, user or "alone")


class KafkaRecords:
    """`how` is what every librdkafka client takes; `alone` is the group's name that it wants of those that are in none: they make
    no group, but ask each second for one that their user has no right to. Nothing is connected before the first verb."""

    def __init__(self, how: dict[str, Any], linger: float = LINGER, patience: float = PATIENCE, alone: str = "alone") -> None:
        self._how, self._linger, self._patience, self._alone = how, linger, patience, alone
        self._producer: Producer | None = None
        self._dead = False
        self._trouble = ""
        self._lock = threading.RLock()
        self._opened: list[KafkaRecordConsumer] = []
        """Held until closed: one that Python took away unclosed waits for ever in librdkafka, and all of the process with it."""

    def send(self, topic: Topic, key: bytes, value: bytes, done: Done) -> None:
        producer = self._open()

        def settled(error: KafkaError | None, _: Message) -> None:
            if error is not None and error.code() == KafkaError._MSG_TIMED_OUT:
                self._doubt(producer)
            done(Unavailable(f"Kafka did not acknowledge: {error}") if error else None)

        try:
            producer.produce(topic.name, value, key, partition_of(topic, key), settled)
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
        quiet: float = QUIET,
        together: float = 0.0,
    ) -> RecordConsumer:
        fetch: dict[str, Any] = {"fetch.wait.max.ms": int((together or quiet) * 1000), "fetch.min.bytes": GATHERED if together else 1}
        fetch["group.id"] = group or self._alone
        consumer = KafkaRecordConsumer(self._how | fetch, group, gained, lost)
        with self._lock:
            self._opened = [*(one for one in self._opened if not one.closed), consumer]
        if group:
            consumer.subscribe(topics)
        else:
            every = {(topic.name, n): BEGINNING for topic in topics for n in range(topic.partitions)}
            consumer.assign(every if offsets is None else offsets)
        return consumer

    def ready(self) -> None:
        try:
            self._open().list_topics(KEYS.name, timeout=GREETING)  # of one topic: all of them are 10 kB to ask and to read
        except KafkaException as error:
            self._open().poll(0)  # what is behind it is told here
            raise self._away("does not answer", error) from error

    def close(self) -> None:
        with self._lock:
            self._producer, opened, self._opened = None, self._opened, []
        for consumer in opened:
            consumer.close()

    def _open(self) -> Producer:
        """Again after a fatal error, which an idempotent producer does not survive, and where one is in doubt."""
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
                        "linger.ms": self._linger * 1000,
                        "message.timeout.ms": int(self._patience * 1000),
                        "queue.buffering.max.messages": 100_000,
                        "queue.buffering.max.kbytes": 65_536,
                    }
                )
            return self._producer

    def _doubt(self, producer: Producer) -> None:
        """A new one for the next record: a partition that had no leader for a moment may have none for ever in this one, also when
        Kafka is long back (librdkafka 5430)."""
        with self._lock:
            self._dead = self._dead or producer is self._producer

    def _failed(self, error: KafkaError) -> None:
        """That all brokers are down says less than why."""
        if not self._trouble or error.code() != KafkaError._ALL_BROKERS_DOWN:
            self._trouble = str(error)
        self._dead = self._dead or error.fatal()
        trouble(error)

    def _away(self, what: str, error: BaseException) -> Unavailable:
        return Unavailable(f"Kafka {what}: {error}. {self._trouble}; see that the broker at KAFKA_URL runs")
