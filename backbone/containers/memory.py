"""The containers' memory twin: a Swarm in one process whose instances run the apps' own code. Nothing moves by itself but time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import count

from backbone.clock import Clock, text_of
from backbone.containers import Local, Machine, ServiceSeen, ServiceSpec, TaskSeen, labelled
from backbone.containers.memory_app import Answer, App, Ended, Enter, Instance, Start, nothing
from backbone.containers.memory_images import Image, MemoryImages
from backbone.containers.memory_printed import MemoryPrinted
from backbone.containers.printed import Spoken
from contracts.errors import Invalid, Unavailable

PAUSE = timedelta(seconds=0.6)
ENDED_KEPT = 5


class MemoryContainers:
    """`images`, `services` and the first node's `node`; `at(name)` gives another node's. A test kills, hangs, asks and looks.

    `after` is called with the name of each verb of `services` that changed something: a test may end the caller there.
    """

    def __init__(self, clock: Clock, nodes: int = 1, enter: Enter = nothing, runtimes: tuple[str, ...] = ("python:memory",)) -> None:
        self.clock, self.enter = clock, enter
        self.machines = [Machine(f"node{n}", f"vm{n}", f"10.77.0.{n}", 4, 8 << 30) for n in range(1, nodes + 1)]
        self.images = MemoryImages(clock, {name: Image() for name in runtimes})
        self.services = MemoryServices(self)
        self.node = MemoryNode(self, self.machines[0])
        self.printed = MemoryPrinted(self, self.machines[0])
        self.instances: dict[str, Instance] = {}
        self.changed = 0
        self.after: Callable[[str], None] = lambda verb: None

    def at(self, name: str) -> Containers:
        return Containers(self, next(m for m in self.machines if m.name == name))

    def kill(self, instance: str) -> None:
        """As `kill -9`: Swarm starts another at once."""
        one = self.instances[instance]
        self.end(one, 137, "killed")
        self.start(one.spec)

    def hang(self, instance: str) -> None:
        """It lives, and answers nothing any more."""
        self.instances[instance].hung = True

    def answer(self, address: str, method: str = "GET", path: str = "/") -> Answer:
        """Unavailable: nobody listens there, or it does not answer."""
        for one in self.instances.values():
            if one.address == address:
                if one.hung:
                    raise Unavailable(f"{address} does not answer in time")
                return one.app.respond(method, path)
        raise Unavailable(f"{address} refuses the connection")

    def alive(self, **labels: str) -> list[Instance]:
        """Running instances by label, `berth.` left off."""
        wanted = {f"berth.{name}": value for name, value in labels.items()}
        return [i for i in self.instances.values() if not i.ended and labelled(i.spec.labels, wanted)]

    def start(self, spec: ServiceSpec) -> None:
        image = self.images.registry.get(spec.image) or self.images.local.get(spec.image)
        if image is None:
            raise Invalid(f"No image {spec.image}.")
        number = next(self.services.numbers)
        machine = self.machines[number % len(self.machines)]
        secrets = {file: self.services.kept[name][0] for file, name in spec.secrets.items()}
        start = Start(image.files, spec.command or image.command, spec.environment, secrets, spec.labels)
        one = Instance(f"task{number}", spec, machine, 30000 + number, App(start, self.enter), self.clock.now())
        one.app.say = lambda text: one.printed.append(Spoken(self.clock.now(), text))
        self.instances[one.id] = one
        self.changed += 1
        try:
            one.app.begin()
        except Ended as ended:
            self.end(one, int(ended.reason.rpartition(" ")[2]) if ended.reason[-1:].isdigit() else 1, ended.reason)

    def end(self, one: Instance, code: int, reason: str) -> None:
        one.ended, one.code, one.reason = self.clock.now(), code, reason
        one.app.end()
        self.changed += 1

    def mend(self) -> None:
        """What Swarm does by itself: a successor for each that ended, after its pause; the oldest ended are forgotten."""
        for name, spec in list(self.services.specs.items()):
            mine = [i for i in self.instances.values() if i.spec.name == name]
            ended = sorted((i for i in mine if i.ended), key=lambda i: i.id)
            last = max((i.ended for i in ended if i.ended), default=None)
            missing = spec.instances - (len(mine) - len(ended))
            if missing > 0 and (last is None or self.clock.now() >= last + PAUSE):
                for _ in range(missing):
                    self.start(spec)
            for old in ended[:-ENDED_KEPT]:
                del self.instances[old.id]


@dataclass(frozen=True)
class Containers:
    """One node's view of the twin."""

    world: MemoryContainers
    machine: Machine

    @property
    def images(self) -> MemoryImages:
        return self.world.images

    @property
    def services(self) -> MemoryServices:
        return self.world.services

    @property
    def node(self) -> MemoryNode:
        return MemoryNode(self.world, self.machine)

    @property
    def printed(self) -> MemoryPrinted:
        return MemoryPrinted(self.world, self.machine)


class MemoryServices:
    def __init__(self, world: MemoryContainers) -> None:
        self.specs: dict[str, ServiceSpec] = {}
        self.kept: dict[str, tuple[bytes, Mapping[str, str]]] = {}
        self.numbers = count(1)
        self._world = world

    def make(self, spec: ServiceSpec) -> None:
        self._check()
        if spec.name in self.specs:
            return
        if missing := [name for name in spec.secrets.values() if name not in self.kept]:
            raise Invalid(f"There is no secret {missing[0]}.")
        self.specs[spec.name] = spec
        for _ in range(spec.instances):
            self._world.start(spec)
        self._world.after("make")

    def services(self, labels: Mapping[str, str]) -> list[ServiceSeen]:
        self._check()
        return [ServiceSeen(s.name, s.image, s.labels) for s in self.specs.values() if labelled(s.labels, labels)]

    def remove(self, name: str) -> None:
        self._check()
        self.specs.pop(name, None)
        for one in [i for i in self._world.instances.values() if i.spec.name == name]:
            if not one.ended:
                self._world.end(one, 0, "")
            del self._world.instances[one.id]
        self._world.after("remove")

    def tasks(self, labels: Mapping[str, str]) -> list[TaskSeen]:
        self._check()
        self._world.mend()
        return [
            TaskSeen(i.id, i.spec.name, i.node.id, f"c-{i.id}", "failed" if i.ended else "running", i.reason, i.spec.labels)
            for i in self._world.instances.values()
            if labelled(i.spec.labels, labels)
        ]

    def lines(self, name: str, most: int) -> list[str]:
        self._check()
        return [line for i in self._world.instances.values() if i.spec.name == name for line in i.lines][-most:]

    def keep_secret(self, name: str, value: bytes, labels: Mapping[str, str]) -> None:
        self._check()
        self.kept.setdefault(name, (value, dict(labels)))
        self._world.after("keep_secret")

    def secrets(self, labels: Mapping[str, str]) -> dict[str, Mapping[str, str]]:
        self._check()
        return {name: kept for name, (_, kept) in self.kept.items() if labelled(kept, labels)}

    def remove_secret(self, name: str) -> None:
        self._check()
        self.kept.pop(name, None)
        self._world.after("remove_secret")

    def _check(self) -> None:
        if self._world.images.away:
            raise Unavailable(f"Docker is away: {self._world.images.away}")


class MemoryNode:
    def __init__(self, world: MemoryContainers, machine: Machine) -> None:
        self._world, self._machine, self._looked = world, machine, -1

    def machine(self) -> Machine:
        return self._machine

    def local(self, labels: Mapping[str, str]) -> list[Local]:
        self._world.mend()
        return [
            Local(
                i.id, f"c-{i.id}", i.spec.name, i.spec.labels, "exited" if i.ended else "running", text_of(i.started),
                i.address, i.code, i.reason, i.started, {} if i.ended else {name: f"{i.id}.{name}" for name in i.spec.networks},
            )
            for i in self._world.instances.values()
            if i.node == self._machine and labelled(i.spec.labels, labels)
        ]  # fmt: skip

    def running(self, labels: Mapping[str, str]) -> list[Local]:
        """Whatever is here is Swarm's."""
        return [one for one in self.local(labels) if one.state == "running"]

    def wait(self, seconds: float) -> bool:
        """Does not wait: whether something changed since it was last asked."""
        changed, self._looked = self._world.changed != self._looked, self._world.changed
        return changed

    def kill(self, container: str) -> None:
        one = self._world.instances.get(container.removeprefix("c-"))
        if one and not one.ended:
            self._world.kill(one.id)

    def lines(self, container: str, most: int) -> list[str]:
        one = self._world.instances.get(container.removeprefix("c-"))
        return one.lines[-most:] if one else []
