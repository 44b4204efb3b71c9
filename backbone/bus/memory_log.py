"""What a broker is to its clients, in memory (partitions, groups, committed offsets): both twins stand on it."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from backbone.bus import partition_of
from backbone.bus.raw import Gained, Lost, Place
from contracts.errors import Unavailable
from contracts.topics import Topic


@dataclass(frozen=True)
class Entry:
    """`turn` grows over all topics, so that whoever reads several sees one order, the same every time."""

    turn: int
    topic: str
    partition: int
    offset: int
    key: bytes
    value: bytes
    time_ms: int


class MemoryLog:
    """Bus and records twins on one log see the same records. A test takes it away by setting `away` to a reason."""

    def __init__(self) -> None:
        self.away = ""
        self.changed = threading.Condition()
        self.partitions: dict[Place, list[Entry]] = defaultdict(list)
        self.groups: dict[str, Group] = defaultdict(Group)
        self._turns = 0

    def check(self) -> None:
        if self.away:
            raise Unavailable(f"the bus is away: {self.away}")

    def append(self, topic: Topic, key: bytes, value: bytes, time_ms: int = 0) -> None:
        with self.changed:
            self.check()
            number = partition_of(topic, key)
            entries = self.partitions[topic.name, number]
            self._turns += 1
            entries.append(Entry(self._turns, topic.name, number, len(entries), key, value, time_ms))
            self.changed.notify_all()

    def end(self, place: Place) -> int:
        with self.changed:
            return len(self.partitions[place])

    def after(self, positions: Mapping[Place, int], most: int) -> list[Entry]:
        """At most `most` entries from the positions on, oldest first over all places."""
        ahead = [entry for place, at in positions.items() for entry in self.partitions[place][at:][:most]]
        return sorted(ahead, key=lambda entry: entry.turn)[:most]


class Group:
    """Members in the order they came; partition n of a topic belongs to member n modulo their number."""

    def __init__(self) -> None:
        self.members: list[Member] = []
        self.committed: dict[Place, int] = {}

    def share(self, member: Member) -> set[Place]:
        return {
            (topic.name, n)
            for topic in member.topics
            for asked in [[m for m in self.members if topic in m.topics]]
            for n in range(topic.partitions)
            if asked[n % len(asked)] is member
        }


class Member:
    """One reader of the log: in a group, or with group "" alone on the places it was told."""

    def __init__(self, log: MemoryLog, group: str, topics: Sequence[Topic]) -> None:
        self.topics = tuple(topics)
        self.positions: dict[Place, int] = {}
        self._log = log
        self._group = log.groups[group] if group else None
        self._touched: set[Place] = set()
        if self._group:
            with log.changed:
                self._group.members.append(self)
                log.changed.notify_all()

    def poll(
        self, most: int, seconds: float, gained: Gained = lambda places: {},
        lost: Lost = lambda places: None,
    ) -> list[Entry]:  # fmt: skip
        with self._log.changed:
            self._log.check()
            self._follow(gained, lost)
            if not self._log.after(self.positions, 1) and seconds > 0:
                self._log.changed.wait_for(self._something, seconds)
                self._log.check()
                self._follow(gained, lost)
            entries = self._log.after(self.positions, most)
            for entry in entries:
                self.positions[entry.topic, entry.partition] = entry.offset + 1
                self._touched.add((entry.topic, entry.partition))
            return entries

    def commit(self) -> None:
        if not self._group:
            return
        with self._log.changed:
            self._log.check()
            mine = self._group.share(self) & self._touched & self.positions.keys()
            self._group.committed.update({place: self.positions[place] for place in mine})
            self._touched.clear()

    def close(self) -> None:
        with self._log.changed:
            if self._group and self in self._group.members:
                self._group.members.remove(self)
                self._log.changed.notify_all()

    def _something(self) -> bool:
        moved = self._group is not None and self._group.share(self) != self.positions.keys()
        return bool(self._log.away or moved or self._log.after(self.positions, 1))

    def _follow(
        self, gained: Gained, lost: Lost
    ) -> None:
        """Takes up what the group gives now and lets go of what it took; what stays keeps its position."""
        if not self._group:
            return
        share = self._group.share(self)
        if gone := sorted(self.positions.keys() - share):
            lost(gone)
            self._drop(gone)
        if new := sorted(share - self.positions.keys()):
            given = gained(new)
            self.positions.update({place: given.get(place, self._group.committed.get(place, 0)) for place in new})

    def _drop(self, places: Iterable[Place]) -> None:
        for place in places:
            del self.positions[place]
            self._touched.discard(place)
