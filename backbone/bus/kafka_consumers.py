"""How the bus reads from Kafka (kafka-python): members of groups, and readers of whole topics."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kafka import KafkaConsumer, TopicPartition  # type: ignore[import-untyped]
from kafka.errors import (  # type: ignore[import-untyped]
    CommitFailedError,
    IllegalGenerationError,
    KafkaError,
    RebalanceInProgressError,
    UnknownMemberIdError,
)

from backbone.bus import Received, decode
from backbone.clock import Clock
from backbone.logs import get_log
from contracts.errors import Unavailable
from contracts.message import Envelope
from contracts.topics import Topic

log = get_log()

PATIENCE = 10.0
"""Seconds that one verb may wait for the broker."""

SESSION = 6.0
"""Seconds of silence after which the group gives a dead member's partitions to others; brokers allow no less."""

LONGEST_WORK = 60.0
"""Seconds between two polls after which a member counts as hung, and the longest that a new member waits for it."""

STALL = 10.0
"""Seconds without a record after which a member looks whether there is one."""

MOVED = (CommitFailedError, IllegalGenerationError, RebalanceInProgressError, UnknownMemberIdError)


class KafkaGroupConsumer:
    """Made anew where it stands still beside records that are there: seen after a broker had fenced itself for a while."""

    def __init__(self, how: dict[str, Any], clock: Clock, group: str, topics: Sequence[Topic], stall: float = STALL) -> None:
        self._topics = {topic.name: topic for topic in topics}
        self._how, self._clock, self._group, self._stall = how, clock, group, stall
        self._next: dict[Any, int] = {}
        self._behind, self._look_at = False, clock.monotonic() + stall
        self._open()

    def _open(self) -> None:
        self._consumer = open_consumer(
            self._how,
            group_id=self._group,
            session_timeout_ms=int(SESSION * 1000),
            heartbeat_interval_ms=int(SESSION * 1000 / 4),
            max_poll_interval_ms=int(LONGEST_WORK * 1000),
        )
        self._consumer.subscribe(list(self._topics))

    def poll(self, seconds: float) -> list[Received]:
        try:
            batches = self._consumer.poll(timeout_ms=int(seconds * 1000))
            if not batches and self._clock.monotonic() >= self._look_at:
                self._watch()
        except KafkaError as error:
            raise away("could not be asked", error) from error
        if batches:
            self._behind, self._look_at = False, self._clock.monotonic() + self._stall
            self._next |= {place: records[-1].offset + 1 for place, records in batches.items()}
        return [self._received(record) for records in batches.values() for record in records]

    def _watch(self) -> None:
        """Twice in a row nothing came although something is there: this client will not move by itself."""
        self._look_at = self._clock.monotonic() + self._stall
        places = self._consumer.assignment()
        ends = self._consumer.end_offsets(list(places), timeout_ms=int(PATIENCE * 1000)) if places else {}
        behind = [place for place, end in ends.items() if end > self._stands(place)]
        if behind and self._behind:
            log.error("consumer_stood_still", group=self._group, places=[f"{p.topic}/{p.partition}" for p in behind])
            self._consumer.close(autocommit=False, timeout_ms=1000)
            self._next.clear()
            self._open()
        self._behind = bool(behind) and not self._behind

    def _stands(self, place: Any) -> int:
        """The next record's offset; of a partition that gave nothing yet, what the group has committed, or its beginning."""
        if place not in self._next:
            committed = self._consumer.committed(place, timeout_ms=int(PATIENCE * 1000))
            self._next[place] = self._consumer.beginning_offsets([place])[place] if committed is None else committed
        return self._next[place]

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
