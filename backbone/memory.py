"""All subsystems in one process on twins: the same order every time, no thread, no sleep."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from backbone.backbone import Backbone, Parts
from backbone.backing import MemoryService
from backbone.blobs.memory import MemoryBlobs
from backbone.bus.memory import MemoryBus
from backbone.bus.memory_records import MemoryRecords
from backbone.clock import ManualClock
from backbone.directory.memory import MemoryDirectory
from backbone.documents.memory import MemoryHome
from backbone.loop import Loop
from backbone.memory_peers import MemoryPeers, PeersAs
from backbone.settings import Settings
from backbone.subsystem import Subsystem

ROUNDS = 10_000


class MemoryPlatform:
    """`add` a subsystem by its `build`, `settle` until nothing moves, `advance` time in small steps.

    `token_of` gives a subsystem's own token by its name; without it all share `peers.token`.
    """

    def __init__(self, settings: Mapping[str, str] | None = None, containers: Any = None) -> None:
        self.clock = ManualClock()
        self.settings = {"BERTH_INSTALLATION": "memory", **(settings or {})}
        self.bus, self.records = MemoryBus(), MemoryRecords(self.clock)
        self.home, self.blobs = MemoryHome(), MemoryBlobs()
        self.directory, self.containers = MemoryDirectory(), containers
        self.peers: MemoryPeers = MemoryPeers()
        self.services = {name: MemoryService() for name in ("registry", "haproxy")}
        self.subsystems: dict[str, Subsystem] = {}
        self.loops: dict[str, Loop] = {}
        self.busy: list[Callable[[], bool]] = []
        self.shared: dict[str, Any] = {}
        self.token_of: Callable[[str], str] | None = None

    def take_away(self, service: str, reason: str) -> None:
        """This backing service answers nobody, for this reason; "" brings it back."""
        if service == "kafka":
            self.bus.log.away = self.records.log.away = reason
            return
        twins: dict[str, Any] = {"postgres": self.home, "azurite": self.blobs, "slapd": self.directory, **self.services}
        twins[service].away = reason

    def backbone(self, name: str, role: str = "", **settings: str) -> Backbone:
        """A backbone of its own on the shared twins."""
        parts = Parts(
            bus=lambda: self.bus,
            documents=lambda: self.home,
            blobs=lambda: self.blobs,
            directory=lambda: self.directory,
            peers=lambda: PeersAs(self.peers, self.token_of(name)) if self.token_of else self.peers,
            records=lambda: self.records,
            tables=lambda: None,
            containers=lambda: self.containers,
            questions=lambda: {name: one.ready for name, one in self.services.items()},
            extra=self.shared,
        )
        return Backbone(name, role, Settings({**self.settings, **settings}), self.clock, parts)

    def add(self, build: Callable[..., Subsystem], name: str, role: str = "", **settings: str) -> Subsystem:
        return self.add_replica("", "", "", build, name, role, **settings)

    def add_replica(
        self, key: str, replica: str, node: str, build: Callable[..., Subsystem], name: str, role: str = "", **settings: str
    ) -> Subsystem:
        """As a process of its own under `key`, by default name.role. Of several replicas the newest serves the API."""
        backbone = self.backbone(name, role, **settings)
        backbone.replica, backbone.node = replica or backbone.replica, node
        subsystem = build(backbone)
        key = key or backbone.source
        self.subsystems[key] = subsystem
        self.loops[key] = subsystem.begin()
        self.peers.attach(backbone.source, subsystem.app())
        return subsystem

    def settle(self) -> None:
        """Until no loop took a message and nothing else is busy."""
        for _ in range(ROUNDS):
            moved = sum(loop.step(0) for loop in list(self.loops.values()))
            if not moved and not any([busy() for busy in self.busy]):
                return
        raise AssertionError("the platform does not come to rest")

    def advance(self, seconds: float, step: float = 0.5) -> None:
        """Time passes in steps, and after each everything settles."""
        passed = 0.0
        while passed < seconds:
            self.clock.advance(min(step, seconds - passed))
            passed += step
            self.settle()
