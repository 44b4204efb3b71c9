"""The prober's twin: asks the containers' twin, and has the result at once."""

from __future__ import annotations

from typing import Protocol

from contracts.errors import Unavailable
from contracts.messages.deployment import Probe
from node_manager.probes import Result, judged


class _Answer(Protocol):
    @property
    def status(self) -> int: ...


class Instances(Protocol):
    """The part of the containers' twin that answers requests."""

    def answer(self, address: str, method: str = "GET", path: str = "/") -> _Answer: ...


class MemoryProber:
    def __init__(self, instances: Instances) -> None:
        self._instances = instances
        self._done: list[Result] = []

    def ask(self, key: str, address: str, probe: Probe, patience: float) -> None:
        try:
            answer = self._instances.answer(address, "GET", probe.path or "/")
            problem = judged(probe.path, b"HTTP/1.1 %d" % answer.status) if probe.path else ""
        except Unavailable as error:
            problem = error.detail
        self._done.append(Result(key, problem))

    def results(self) -> list[Result]:
        done, self._done = self._done, []
        return done
