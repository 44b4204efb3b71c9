"""Signs of life of the platform's own parts."""

from __future__ import annotations

from typing import ClassVar

from contracts.message import Message
from contracts.topics import BEATS


class Beat(Message):
    """A replica is alive; `ready` with the reasons where it is not."""

    topic: ClassVar = BEATS
    key_field: ClassVar = "replica"
    replica: str
    incarnation: str
    subsystem: str
    role: str = ""
    node: str = ""
    ready: bool = True
    reasons: tuple[str, ...] = ()
