"""Puts messages into envelopes: who says it, why, in which action and for which workspace."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from backbone.clock import Clock, derived_id, new_trace
from backbone.context import current
from contracts.message import Envelope, Message
from contracts.topics import Topic


@dataclass(frozen=True)
class Said:
    """A message ready to be sent: where, under which key, and the envelope."""

    topic: Topic
    key: str
    envelope: Envelope


@dataclass(frozen=True)
class Wrapper:
    """`source` is the subsystem with its role."""

    clock: Clock
    source: str

    def wrap(self, messages: Iterable[Message], correlation: str = "", workspace: str = "") -> list[Said]:
        """In a handler ids derive from (cause, source, position): work repeated after a crash says the same thing again."""
        action = current()
        correlation = action.correlation or correlation or new_trace()
        return [
            Said(
                message.topic,
                message.key,
                Envelope(
                    id=self._id(action.cause, next(action.positions)),
                    name=type(message).__name__,
                    version=message.version,
                    time=self.clock.now(),
                    source=self.source,
                    correlation=correlation,
                    cause=action.cause,
                    workspace=workspace or action.workspace,
                    body=message.model_dump(mode="json"),
                ),
            )
            for message in messages
        ]

    def _id(self, cause: str, position: int) -> str:
        return derived_id(cause, self.source, position) if cause else self.clock.new_id()
