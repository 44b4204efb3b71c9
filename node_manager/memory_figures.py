"""The gauge's twin: the node's counters run with the clock, its instances burn and hold what a test says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from backbone.clock import Clock
from node_manager.model_figures import Look, NodeLook

CORES = 4
TOTAL = 8 << 30
IDLE = 0.1
"""Cores that the node needs for itself."""
OWN = 1 << 30


class _Spec(Protocol):
    @property
    def memory(self) -> int: ...


class _Instance(Protocol):
    burns: float
    holds: int

    @property
    def ended(self) -> object: ...

    @property
    def spec(self) -> _Spec: ...


class Instances(Protocol):
    """The part of the containers' twin that is measured."""

    @property
    def instances(self) -> Mapping[str, _Instance]: ...


class MemoryGauge:
    def __init__(self, clock: Clock, containers: Instances) -> None:
        self._clock, self._world = clock, containers
        self._cpu: dict[str, float] = {}
        self._busy, self._at = 0.0, clock.monotonic()
        self._known: tuple[str, ...] = ()

    def node(self) -> NodeLook:
        self._pass()
        now = self._clock.monotonic()
        used = OWN + sum(one.holds for one in self._alive().values())
        return NodeLook(now, self._busy, now * CORES, used, TOTAL, IDLE, int(now * 1000), int(now * 2000), 20 << 30, 100 << 30)

    def know(self, containers: Sequence[str]) -> None:
        self._known = tuple(containers)

    def containers(self) -> dict[str, Look]:
        now, alive = self._clock.monotonic(), self._alive()
        return {
            id: Look(now, self._cpu.get(id, 0.0), alive[id].holds, alive[id].spec.memory) for id in self._known if id in alive
        }

    def _alive(self) -> dict[str, _Instance]:
        return {f"c-{id}": one for id, one in self._world.instances.items() if not one.ended}

    def _pass(self) -> None:
        """Counters grow by what was burnt since the last look."""
        now = self._clock.monotonic()
        for id, one in self._alive().items():
            self._cpu[id] = self._cpu.get(id, 0.0) + one.burns * (now - self._at)
            self._busy += one.burns * (now - self._at)
        self._busy, self._at = self._busy + IDLE * (now - self._at), now
