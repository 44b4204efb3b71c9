"""What went wrong with the platform's own parts, from the first suspicion to its end."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Literal

from contracts.message import Message
from contracts.topics import INCIDENTS

Kind = Literal["replica", "restart", "silence", "backing"]
"""A replica fell silent; a person ordered a restart; nearly all fell silent at once; a backing service is away or slow."""


class IncidentOpened(Message):
    """Something is suspected, or was ordered; `title` is a sentence for a person. `replica` is "" where it is about many.

    Of kind backing `subsystem` is the service's name: kafka, postgres, azurite, registry, slapd, haproxy.
    """

    topic: ClassVar = INCIDENTS
    key_field: ClassVar = "incident"
    incident: str
    kind: Kind
    title: str
    at: datetime
    subsystem: str = ""
    role: str = ""
    replica: str = ""
    node: str = ""


class IncidentMoved(Message):
    """A line more in its timeline."""

    topic: ClassVar = INCIDENTS
    key_field: ClassVar = "incident"
    incident: str
    at: datetime
    text: str


class IncidentClosed(Message):
    """It is over: `replaced` by a replica whose heartbeat was heard, `recovered`, `stopped` as ordered, or `over` for a silence of many."""

    topic: ClassVar = INCIDENTS
    key_field: ClassVar = "incident"
    incident: str
    at: datetime
    outcome: Literal["replaced", "recovered", "stopped", "over"]
    text: str
    seconds: float
