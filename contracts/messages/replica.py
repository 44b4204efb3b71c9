"""Signs of life of the platform's own parts, and what is done where they are missing."""

from __future__ import annotations

from typing import ClassVar

from contracts.message import Message
from contracts.topics import BEATS, NODES


class Beat(Message):
    """A replica is alive; `ready` with the reasons where it is not; `leaving` when it was told to stop and obeys.

    `installation` says whose it is: several may stand on one Kafka.
    """

    topic: ClassVar = BEATS
    key_field: ClassVar = "replica"
    replica: str
    incarnation: str
    subsystem: str
    role: str = ""
    node: str = ""
    ready: bool = True
    reasons: tuple[str, ...] = ()
    leaving: bool = False
    installation: str = ""


class ReplaceReplica(Message):
    """To the agent of `node`: kill this replica if it does not answer you either, or in any case where a person `ordered` it.

    `fence` is the lease's number of the monitor that says it; an agent obeys none older than the newest it has seen.
    `attempt` counts from 1 within the incident.
    """

    topic: ClassVar = NODES
    key_field: ClassVar = "replica"
    replica: str
    incarnation: str
    subsystem: str
    role: str = ""
    node: str
    incident: str
    attempt: int
    fence: int
    reason: str
    ordered: bool = False


class ReplicaAnswer(Message):
    """What the agent of `node` made of an order to replace, and why."""

    topic: ClassVar = NODES
    key_field: ClassVar = "replica"
    replica: str
    incarnation: str
    node: str
    incident: str
    attempt: int
    reason: str


class ReplicaReplaced(ReplicaAnswer):
    """The agent killed it, for this reason; Swarm starts another, whose heartbeat is the proof."""


class ReplicaSpared(ReplicaAnswer):
    """The agent left it alone, for this reason: it answered, the order is of a monitor that lost its lease, or Docker is away."""


class ReplicaEnded(ReplicaAnswer):
    """The agent found it ended before it did anything; `stopped` where it had ended in good order, as one does that was told to."""

    stopped: bool
