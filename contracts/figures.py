"""What an agent measures each second, as it travels on the topic `figures`: one record a node, with all that runs there."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict


class Figure(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class NodeFigures(Figure):
    """cpu: percent of all cores together. memory, disk: bytes. load: runnable processes over the last minute.

    received, sent: bytes a second over the node's own interfaces, loopback and Docker's not counted. None: not to be seen here.
    """

    cpu: float
    memory_used: int
    memory_total: int
    load: float
    disk_used: int | None = None
    disk_total: int | None = None
    received: float = 0.0
    sent: float = 0.0


class InstanceFigures(Figure):
    """A container. cpu: percent of one core. memory: bytes that cannot be taken back; memory_limit: bytes, None without one.

    `instance` is the id of an app's instance, or of a subsystem's replica, or the name of a backing service's container.
    """

    instance: str
    kind: Literal["app", "subsystem", "backing"]
    service: str = ""
    workspace: str = ""
    deployment: str = ""
    generation: int = 0
    cpu: float
    memory: int
    memory_limit: int | None = None


class Figures(Figure):
    """Of one node at one moment."""

    node: str
    time: datetime
    of_node: NodeFigures
    instances: tuple[InstanceFigures, ...] = ()

    @property
    def key(self) -> bytes:
        return self.node.encode()

    def encoded(self) -> bytes:
        return self.model_dump_json().encode()

    @classmethod
    def decoded(cls, raw: bytes) -> Figures:
        """Raises pydantic.ValidationError where it is none."""
        return cls.model_validate_json(raw)
