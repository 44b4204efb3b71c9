"""What travels on the bus: a message of one noun in an envelope that says when, by whom, why and for which workspace."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

from contracts.topics import Topic


class Message(BaseModel):
    """An Order (imperative) or an Event (past). Subclasses set `topic` and `key_field`; the class name is the message's name."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    topic: ClassVar[Topic]
    key_field: ClassVar[str]
    version: ClassVar[int] = 1

    @property
    def key(self) -> str:
        """The noun's id: messages of one noun stay in order."""
        return str(getattr(self, self.key_field))


class Envelope(BaseModel):
    """`correlation` is one per user action, end to end (32 hex digits); `cause` the id of the message that led to this one."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    name: str
    version: int
    time: datetime
    source: str
    correlation: str
    cause: str = ""
    workspace: str = ""
    body: dict[str, Any]
