"""What an agent says of its node."""

from __future__ import annotations

from typing import ClassVar

from contracts.message import Message
from contracts.topics import NODES


class NodeSeen(Message):
    """A node with its size (cores, bytes) and whether its firewall stands."""

    topic: ClassVar = NODES
    key_field: ClassVar = "node"
    node: str
    name: str
    address: str
    cpus: int
    memory: int
    firewall: bool
    reason: str = ""
