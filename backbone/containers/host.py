"""The host port: the few privileged things the agent does to its own node, past its container's walls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from contracts.errors import Unavailable


@dataclass(frozen=True)
class Ran:
    """How a command ended, and all it printed."""

    code: int
    text: str


class Host(Protocol):
    """One node, through its Docker socket. Every verb may raise Unavailable (the daemon is away) and may be repeated."""

    def run(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> Ran:
        """In the helper `name`: a container of the platform's own image in the node's own network, with NET_ADMIN and no
        other right. It is made where it is missing or of another image, and stays."""

    def remove(self, name: str) -> None:
        """The helper goes."""

    def label(self, name: str, value: str) -> bool:
        """Sets this node's Swarm label ("" takes it away). False: only a manager may, and this node is none."""


class MemoryHost:
    """The twin: remembers what was run. A test sets `answers` (last word of a command -> Ran) and `away`."""

    def __init__(self) -> None:
        self.ran: list[tuple[str, tuple[str, ...], dict[str, str]]] = []
        self.answers: dict[str, Ran] = {}
        self.labels: dict[str, str] = {}
        self.helpers: set[str] = set()
        self.manager = True
        self.away = False

    def run(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> Ran:
        self._here()
        self.helpers.add(name)
        self.ran.append((name, tuple(command), dict(environment)))
        return self.answers.get(command[-1], Ran(0, ""))

    def remove(self, name: str) -> None:
        self._here()
        self.helpers.discard(name)

    def label(self, name: str, value: str) -> bool:
        self._here()
        if self.manager:
            self.labels = {k: v for k, v in {**self.labels, name: value}.items() if v}
        return self.manager

    def _here(self) -> None:
        if self.away:
            raise Unavailable("Docker is away.")
