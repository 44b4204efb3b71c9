"""The bus port: the promise that Kafka and the memory twin keep alike for what the parts say to each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from zlib import crc32

from pydantic import ValidationError

from contracts.message import Envelope
from contracts.topics import Topic

Said = tuple[Topic, str, Envelope]
"""Where to, the key (the noun's id), what."""


@dataclass(frozen=True)
class Received:
    """One record as it came. `envelope` is None where `raw` is no envelope; `position` is `topic/partition/offset`."""

    topic: Topic
    key: str
    envelope: Envelope | None
    raw: bytes
    position: str


class Consumer(Protocol):
    """One member of a group; used by one thread.

    Each partition of its topics belongs to one member of the group at a time, and moves when members come and go.
    Records of one key come in the order they were acknowledged. At least once: what was polled and not committed comes
    again, to whichever member has the partition next. A group that never committed begins at the beginning.
    """

    def poll(self, seconds: float) -> list[Received]:
        """What came, as soon as something is there, or [] after `seconds`.

        While the bus is away it gives [] or raises Unavailable; asked again, it goes on where it was.
        """

    def commit(self) -> None:
        """All that poll has given is done. Where a partition went elsewhere meanwhile, its records come again there.

        Unavailable: nothing is known of the commit; the records may come again.
        """

    def close(self) -> None:
        """Leaves the group at once, without committing."""


class Reader(Protocol):
    """Reads whole topics from the beginning, alone, and then on; used by one thread.

    Messages of one topic and key come in their order. Of a compacted topic it sees at least the newest message of each
    key. What cannot be decoded is left out, with a line in the log.
    """

    def read_to_end(self) -> list[Envelope]:
        """All from where it stands to what was acknowledged before the call. Unavailable: not all could be read."""

    def skip(self) -> None:
        """Stands at the end from now on: what was acknowledged before the call is left out. Unavailable."""

    def poll(self, seconds: float) -> list[Envelope]:
        """What came since, as soon as something is there, or [] after `seconds`. Unavailable."""

    def close(self) -> None:
        """Lets go of the connection."""


class Bus(Protocol):
    """Carries envelopes; safe to share between threads, its consumers and readers are not.

    Topics are there beforehand. Messages of one topic and key stay in the order of `send`, also over several calls from
    one thread. What was acknowledged survives the death of a broker.
    """

    def send(self, said: Sequence[Said]) -> None:
        """Returns when every one is acknowledged by all replicas in step.

        Unavailable: at least one was not; of each nothing is known, so that sending them again may double some.
        """

    def consumer(self, group: str, topics: Sequence[Topic]) -> Consumer:
        """A new member of the group. Unavailable."""

    def reader(self, *topics: Topic, together: float = 0.0) -> Reader:
        """A reader that stands at the topics' beginning. With `together` what comes may be kept back so many seconds,
        so that more comes at once: cheaper where much comes and none of it is urgent. Unavailable."""

    def ready(self) -> None:
        """Returns when the bus answers, else raises Unavailable with the reason."""

    def close(self) -> None:
        """Lets go of connections; nothing may be asked afterwards."""


def encode(envelope: Envelope) -> bytes:
    return envelope.model_dump_json().encode()


def decode(raw: bytes) -> Envelope | None:
    """None where it is no envelope."""
    try:
        return Envelope.model_validate_json(raw)
    except ValidationError:
        return None


def partition_of(topic: Topic, key: bytes) -> int:
    """Both clients ask here, so that a key has one partition whoever writes; it is librdkafka's own `consistent`."""
    return crc32(key) % topic.partitions
