"""The platform's own parts as Swarm keeps them: each has a container, and a new one begins where an old one ended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from backbone.containers import ServiceSpec
from backbone.containers.memory import MemoryContainers
from backbone.containers.memory_images import Image
from backbone.memory import MemoryPlatform
from backbone.subsystem import Subsystem

NO_ANSWER = "GET /live: no answer within 1 s"


@dataclass
class Part:
    """`task` is its container's id, which is its replica's."""

    build: Callable[..., Subsystem]
    name: str
    role: str
    task: str = ""

    @property
    def source(self) -> str:
        return f"{self.name}.{self.role}" if self.role else self.name

    @property
    def service(self) -> str:
        return "agent" if self.role == "agent" else "-".join(filter(None, (self.name, self.role))).replace("_", "-")


class MemoryParts:
    """By key: name.role, and `-2` behind it for a second replica."""

    def __init__(self, platform: MemoryPlatform, containers: MemoryContainers) -> None:
        self._platform, self._containers = platform, containers
        self._installation = platform.settings["BERTH_INSTALLATION"]
        self._parts: dict[str, Part] = {}
        self._still: set[str] = set()
        containers.images.local["platform"] = Image({"app/main.py": b""}, ("python", "main.py"))

    def add(self, build: Callable[..., Subsystem], name: str, role: str) -> None:
        part = Part(build, name, role)
        key = part.source if part.source not in self._parts else f"{part.source}-2"
        labels = {"berth.installation": self._installation, "berth.subsystem": part.service}
        spec = ServiceSpec(f"{self._installation}-{key}", "platform", labels, networks=(self._installation,))
        self._containers.services.make(spec)
        self._parts[key] = part
        part.task = self._task(key)
        self.begin(key)

    def begin(self, key: str) -> None:
        """A process begins in its container."""
        part = self._parts[key]
        node = self._containers.node.machine().id
        self._platform.peers.away.discard(part.source)
        self._platform.add_replica(key, part.task, node, part.build, part.name, part.role)

    def follow(self) -> None:
        """What Docker did meanwhile."""
        self._containers.mend()
        for key, part in self._parts.items():
            if self._task(key) == part.task:
                continue
            self._end(key)
            if task := self._task(key):
                part.task = task
                self.begin(key)

    def stand_still(self, key: str) -> None:
        part = self._parts[key]
        self._still.add(part.task)
        self._platform.loops.pop(key)
        self._platform.peers.away.add(part.source)

    def kill_leader(self) -> None:
        """The other one answers for the API."""
        monitors = [key for key, part in self._parts.items() if part.name == "monitor"]
        leader = max(monitors, key=lambda key: self._platform.subsystems[key].ticks[1].call.__self__._fence)  # type: ignore[attr-defined]
        self._containers.kill(self._parts[leader].task)
        self._end(leader)
        (other,) = set(monitors) - {leader}
        self._platform.peers.attach("monitor", self._platform.subsystems[other].app())

    def live(self, address: str) -> str:
        """What its node's agent hears of GET /live."""
        return NO_ANSWER if address.split(".")[0] in self._still else ""

    def _end(self, key: str) -> None:
        self._platform.loops.pop(key, None)

    def _task(self, key: str) -> str:
        """Of the container that runs for it now, or ""."""
        name = f"{self._installation}-{key}"
        return next((i.id for i in self._containers.instances.values() if i.spec.name == name and not i.ended), "")
