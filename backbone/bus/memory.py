"""The bus's memory twin: the same promise in one process, in one order, without waiting."""

from __future__ import annotations

from collections.abc import Sequence

from backbone.bus import Consumer, Reader, Received, Said, decode, encode
from backbone.bus.memory_log import Entry, Member, MemoryLog
from contracts.message import Envelope
from contracts.topics import Topic

MOST = 500


class MemoryBus:
    """Buses on one log are one bus. Topics need not be made."""

    def __init__(self, log: MemoryLog | None = None) -> None:
        self.log = log or MemoryLog()

    def send(self, said: Sequence[Said]) -> None:
        for topic, key, envelope in said:
            self.log.append(topic, key.encode(), encode(envelope))

    def consumer(self, group: str, topics: Sequence[Topic]) -> Consumer:
        self.log.check()
        return MemoryConsumer(self.log, group, topics)

    def reader(self, *topics: Topic, together: float = 0.0) -> Reader:
        self.log.check()
        return MemoryReader(self.log, topics)

    def ready(self) -> None:
        self.log.check()

    def close(self) -> None:
        pass


class MemoryConsumer:
    def __init__(self, log: MemoryLog, group: str, topics: Sequence[Topic]) -> None:
        self._topics = {topic.name: topic for topic in topics}
        self._member = Member(log, group, topics)

    def poll(self, seconds: float) -> list[Received]:
        return [self._received(entry) for entry in self._member.poll(MOST, seconds)]

    def commit(self) -> None:
        self._member.commit()

    def close(self) -> None:
        self._member.close()

    def _received(self, entry: Entry) -> Received:
        position = f"{entry.topic}/{entry.partition}/{entry.offset}"
        key = entry.key.decode(errors="replace")
        return Received(self._topics[entry.topic], key, decode(entry.value), entry.value, position)


class MemoryReader:
    def __init__(self, log: MemoryLog, topics: Sequence[Topic]) -> None:
        self._log, self._member = log, Member(log, "", topics)
        self._member.positions = {(topic.name, n): 0 for topic in topics for n in range(topic.partitions)}

    def read_to_end(self) -> list[Envelope]:
        heard: list[Envelope] = []
        while entries := self._member.poll(MOST, 0):
            heard += self._decoded(entries)
        return heard

    def skip(self) -> None:
        self._log.check()
        self._member.positions = {place: self._log.end(place) for place in self._member.positions}

    def poll(self, seconds: float) -> list[Envelope]:
        return self._decoded(self._member.poll(MOST, seconds))

    def close(self) -> None:
        self._member.close()

    def _decoded(self, entries: Sequence[Entry]) -> list[Envelope]:
        return [envelope for entry in entries if (envelope := decode(entry.value))]
