"""The records port: the promise that Kafka and the memory twin keep alike for readings, streams, figures and lines."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from contracts.topics import Topic

Place = tuple[str, int]
"""A topic's name and a partition."""

BEGINNING = -2
END = -1
"""Instead of an offset: the first record there is; the first that is sent after the call."""

QUIET = 2.0

Done = Callable[[Exception | None], None]
Gained = Callable[[list[Place]], Mapping[Place, int]]
Lost = Callable[[list[Place]], None]


@dataclass(frozen=True, slots=True)
class Record:
    """`time_ms` is when it was sent, in milliseconds UTC."""

    topic: str
    partition: int
    offset: int
    key: bytes
    value: bytes
    time_ms: int


class RecordConsumer(Protocol):
    """Reads places (topic, partition), alone or as one member of a group; used by one thread.

    Records of one place come in the order of their offsets.
    """

    def poll(self, most: int, seconds: float) -> list[Record]:
        """Up to `most` records, as soon as some are there, or [] after `seconds`.

        While the broker is away it gives []. Unavailable is what `gained` raised; asked again, it asks `gained` again.
        """

    def assign(self, offsets: Mapping[Place, int]) -> None:
        """Alone: from now on reads these places and no others, each from its offset (or BEGINNING, END)."""

    def seek(self, place: Place, offset: int) -> None:
        """The next record from that place, which must be held, is the one at `offset` (or BEGINNING, END)."""

    def held(self) -> list[Place]:
        """The places it reads now."""

    def spans(self, places: Sequence[Place]) -> Mapping[Place, tuple[int, int]]:
        """Of each of these places, held or not, the first offset there is and the next that will be. Unavailable."""

    def commit(self) -> None:
        """In a group: all that poll has given is done. Unavailable: nothing is known of the commit."""

    def close(self) -> None:
        """Leaves the group at once, without committing."""


class Records(Protocol):
    """Carries bytes, fast; safe to share between threads, its consumers are not.

    Topics are there beforehand. Records of one topic and key stay in the order of `send`. What was acknowledged
    survives the death of a broker.
    """

    def send(self, topic: Topic, key: bytes, value: bytes, done: Done) -> None:
        """Takes the record and returns at once. `done(None)` is called when all replicas in step have it, `done(error)`
        with an Unavailable when that is not known: it may or may not be there. `done` runs inside poll or flush.

        Unavailable: too many are under way; nothing was taken.
        """

    def poll(self, seconds: float = 0.0) -> int:
        """Calls `done` for what is settled, waiting up to `seconds` for the first. Gives how many were called."""

    def flush(self, seconds: float) -> None:
        """Returns when all under way is settled. Unavailable: some is not after `seconds`."""

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
        """Without a group: reads exactly the places in `offsets`, or, where None, all of the topics from the beginning.

        With a group: each place belongs to one member at a time. Inside poll, before the first record of new places,
        `gained(places)` gives the offsets to begin at, where the caller keeps them; a place it leaves out begins
        at what the group committed, or at the beginning. `lost(places)` tells that they are, or may be, another's now.
        What was polled and neither committed nor kept comes again. Unavailable.

        `quiet`: seconds that one question may lie with the broker while nothing comes; what comes is given at once. With
        `together` it may be kept back for so many seconds, so that more comes in one answer.
        """

    def ready(self) -> None:
        """Returns when the broker answers, else raises Unavailable with the reason."""

    def close(self) -> None:
        """Lets go of connections; what is not settled yet may be lost."""
