"""Every broker that the bus and the records stand on, with topics of the test's own."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable, Sequence
from typing import Protocol

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from backbone.bus import Bus, Consumer, Reader, Received, partition_of
from backbone.bus.kafka import open_bus
from backbone.bus.memory import MemoryBus
from backbone.bus.memory_log import MemoryLog
from backbone.bus.memory_records import MemoryRecords
from backbone.bus.raw import Record, RecordConsumer, Records
from backbone.bus.records import open_records
from backbone.clock import SystemClock
from backbone.settings import Settings
from contracts.topics import Topic
from tests.support.real import address

DEADLINE = 40.0


class Broker(Protocol):
    """Each bus and records is a client of its own on the same broker; the `away` ones of one that is not there."""

    def bus(self) -> Bus: ...

    def records(self) -> Records: ...

    def bus_away(self) -> Bus: ...

    def records_away(self) -> Records: ...

    def topic(self, partitions: int = 3, keep: int = 3600) -> Topic: ...

    def write(self, topic: Topic, key: bytes, value: bytes) -> None: ...

    def close(self) -> None: ...


class Tidy:
    """A bus that takes its consumers and readers with it when it is closed."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._opened: list[Consumer | Reader] = []
        self.send, self.ready = bus.send, bus.ready

    def consumer(self, group: str, topics: Sequence[Topic]) -> Consumer:
        consumer = self._bus.consumer(group, topics)
        self._opened.append(consumer)
        return consumer

    def reader(self, *topics: Topic, together: float = 0.0) -> Reader:
        reader = self._bus.reader(*topics, together=together)
        self._opened.append(reader)
        return reader

    def close(self) -> None:
        for one in self._opened:
            one.close()
        self._bus.close()


class MemoryBroker:
    def __init__(self) -> None:
        self._log, self._away = MemoryLog(), MemoryLog()
        self._away.away = "a test says so"

    def bus(self) -> Bus:
        return MemoryBus(self._log)

    def records(self) -> Records:
        return MemoryRecords(SystemClock(), self._log)

    def bus_away(self) -> Bus:
        return MemoryBus(self._away)

    def records_away(self) -> Records:
        records = MemoryRecords(SystemClock(), self._away)
        records.hold = True
        return records

    def topic(self, partitions: int = 3, keep: int = 3600) -> Topic:
        return Topic(unique("topic"), "id", partitions, keep)

    def write(self, topic: Topic, key: bytes, value: bytes) -> None:
        self._log.append(topic, key, value)

    def close(self) -> None:
        pass


class KafkaBroker:
    def __init__(self) -> None:
        url = address("KAFKA_URL")
        login = {name: os.environ[name] for name in ("KAFKA_USER", "KAFKA_PASSWORD") if os.environ.get(name)}
        self._settings = {"KAFKA_URL": url, **login}
        how: dict[str, str | int | float | bool] = {"bootstrap.servers": url}
        if login:
            how |= {"security.protocol": "SASL_PLAINTEXT", "sasl.mechanisms": "SCRAM-SHA-512"}
            how |= {"sasl.username": login["KAFKA_USER"], "sasl.password": login["KAFKA_PASSWORD"]}
        self._admin, self._producer = AdminClient(how), Producer(how)
        self._opened: list[Bus | Records] = []
        self._topics: list[str] = []

    def bus(self, **settings: str) -> Bus:
        bus = Tidy(open_bus(Settings({**self._settings, **settings}), SystemClock()))
        self._opened.append(bus)
        return bus

    def records(self, **settings: str) -> Records:
        records = open_records(Settings({**self._settings, **settings}))
        self._opened.append(records)
        return records

    def bus_away(self) -> Bus:
        return self.bus(KAFKA_URL="127.0.0.1:9")

    def records_away(self) -> Records:
        return self.records(KAFKA_URL="127.0.0.1:9")

    def topic(self, partitions: int = 3, keep: int = 3600) -> Topic:
        topic = Topic(unique("topic"), "id", partitions, keep)
        config = {"cleanup.policy": "compact"} if topic.compacted else {}
        made = self._admin.create_topics([NewTopic(topic.name, partitions, 1, config=config)])
        made[topic.name].result(DEADLINE)
        self._topics.append(topic.name)
        return topic

    def write(self, topic: Topic, key: bytes, value: bytes) -> None:
        self._producer.produce(topic.name, value, key, partition_of(topic, key))
        assert not self._producer.flush(DEADLINE)

    def close(self) -> None:
        for one in self._opened:
            one.close()
        if self._topics:
            for gone in self._admin.delete_topics(self._topics).values():
                gone.result(DEADLINE)


KINDS: dict[str, Callable[[], Broker]] = {"memory": MemoryBroker, "kafka": KafkaBroker}


def unique(what: str) -> str:
    return f"test-{what}-{uuid.uuid4().hex[:12]}"


def hear(consumers: Sequence[Consumer] | Consumer, count: int) -> list[Received]:
    """Polls them in turn until together they gave `count`."""
    members = consumers if isinstance(consumers, Sequence) else [consumers]
    heard: list[Received] = []
    until = time.monotonic() + DEADLINE
    while len(heard) < count:
        assert time.monotonic() < until, f"only {len(heard)} of {count} came"
        for member in members:
            heard += member.poll(0.1)
    return heard


def take(consumers: Sequence[RecordConsumer] | RecordConsumer, count: int, most: int = 1000) -> list[Record]:
    members = consumers if isinstance(consumers, Sequence) else [consumers]
    taken: list[Record] = []
    until = time.monotonic() + DEADLINE
    while len(taken) < count:
        assert time.monotonic() < until, f"only {len(taken)} of {count} came"
        for member in members:
            taken += member.poll(most, 0.1)
    return taken
