"""The containers port: what the deployer and the node's agent ask of Docker and Swarm, and the promise both homes keep.

Each part is as small as its user: `images` (the builds), `services` (the rollouts), `node` and `printed` (the agent of one node).
All verbs may raise Unavailable (the daemon, the Swarm or the registry is away); asking for what is there already, or
taking away what is not there, is no error, so every verb may be repeated after a crash. Safe to share between threads.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import BinaryIO, Protocol

from backbone.containers.printed import Printed
from contracts.messages.deployment import Probe

Say = Callable[[str, str], None]
"""Called with ("out" | "err", one line without its end) as the lines come."""


@dataclass(frozen=True)
class Limits:
    """What foreign work may take: bytes, cores, processes, seconds."""

    memory: int = 512 << 20
    cpu: float = 1.0
    pids: int = 128
    seconds: float = 300.0


@dataclass(frozen=True)
class Job:
    """One container that runs `command` to its end. `files` (path -> content) lie in /tmp/in; the folder `out` is taken afterwards."""

    image: str
    command: tuple[str, ...]
    files: Mapping[str, bytes] = field(default_factory=dict)
    out: str = ""
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    limits: Limits = Limits()
    network: bool = False
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class JobDone:
    """`killed` is "" or the limit that ended it: "time", "memory". `out` is a tar of the folder, its own name first, on success only."""

    code: int
    killed: str = ""
    out: BinaryIO | None = None


@dataclass(frozen=True)
class BuildDone:
    """`error` is "" or the builder's sentence; `killed` as for a job."""

    error: str = ""
    killed: str = ""


@dataclass(frozen=True)
class ImageSeen:
    """An image kept here: its tag with the labels it was built with."""

    tag: str
    labels: Mapping[str, str]
    created: str


class Images(Protocol):
    def run(self, job: Job, say: Say) -> JobDone:
        """Root file system untouched by others, all capabilities dropped, user 20001; the container is gone afterwards."""

    def build(self, tag: str, context: BinaryIO, labels: Mapping[str, str], limits: Limits, say: Say) -> BuildDone:
        """Builds the tar `context` (its Dockerfile at the root) without network and within the limits."""

    def push(self, tag: str) -> str:
        """To the registry that the tag names; gives the reference by digest."""

    def has(self, reference: str) -> bool:
        """Whether the image is here."""

    def images(self, labels: Mapping[str, str]) -> list[ImageSeen]:
        """The images here that have all these labels."""

    def remove(self, reference: str) -> None:
        """A tag goes from this machine, a reference by digest from the registry as well."""


@dataclass(frozen=True)
class ServiceSpec:
    """One service of instances. `secrets` maps the file's name in /run/secrets to the secret's name; `port` is published
    on a port of the node that Docker chooses. cpu in cores, memory in bytes."""

    name: str
    image: str
    labels: Mapping[str, str]
    command: tuple[str, ...] = ()
    instances: int = 1
    port: int | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    networks: tuple[str, ...] = ()
    dns: tuple[str, ...] = ()
    constraints: tuple[str, ...] = ()
    cpu: float = 1.0
    memory: int = 128 << 20
    pids: int = 64
    reserve_cpu: float = 0.2
    reserve_memory: int = 64 << 20


@dataclass(frozen=True)
class ServiceSeen:
    name: str
    image: str
    labels: Mapping[str, str]


@dataclass(frozen=True)
class TaskSeen:
    """One try of Swarm's to run an instance. `state` is Swarm's word; `reason` why it is not running, "" when it is."""

    id: str
    service: str
    node: str
    container: str
    state: str
    reason: str
    labels: Mapping[str, str]

    @property
    def alive(self) -> bool:
        return self.state in ("new", "allocated", "pending", "assigned", "accepted", "preparing", "ready", "starting", "running")


class Services(Protocol):
    def make(self, spec: ServiceSpec) -> None:
        """A service of that name that is there already stays as it is."""

    def services(self, labels: Mapping[str, str]) -> list[ServiceSeen]: ...

    def remove(self, name: str) -> None:
        """Its instances get SIGTERM, and SIGKILL ten seconds later."""

    def tasks(self, labels: Mapping[str, str]) -> list[TaskSeen]: ...

    def lines(self, name: str, most: int) -> list[str]:
        """The last lines its instances printed, the dead ones' too."""

    def keep_secret(self, name: str, value: bytes, labels: Mapping[str, str]) -> None:
        """A secret of that name that is there already stays as it is."""

    def secrets(self, labels: Mapping[str, str]) -> dict[str, Mapping[str, str]]:
        """Name -> labels of the secrets with all these labels; never their values."""

    def remove_secret(self, name: str) -> None: ...


@dataclass(frozen=True)
class Machine:
    """The node this process is on. `id` is Swarm's; memory in bytes."""

    id: str
    name: str
    address: str
    cpus: int
    memory: int


@dataclass(frozen=True)
class Local:
    """A Swarm container on this node. `id` is the task's, `incarnation` its start; `address` is host:port of its published
    port ("" while there is none), `networks` its own address on each network;
    `state` is "created", "running" or "exited"; `reason` says how it ended."""

    id: str
    container: str
    service: str
    labels: Mapping[str, str]
    state: str
    incarnation: str
    address: str = ""
    code: int = 0
    reason: str = ""
    started: datetime | None = None
    networks: Mapping[str, str] = field(default_factory=dict)

    @property
    def probe(self) -> Probe:
        """What its service's label says of how to ask it."""
        return Probe.model_validate_json(self.labels.get("berth.probe") or "{}")


class Node(Protocol):
    def machine(self) -> Machine: ...

    def local(self, labels: Mapping[str, str]) -> list[Local]:
        """The containers of this node with all these labels ("" stands for any value), the ended ones that are still kept too."""

    def running(self, labels: Mapping[str, str]) -> list[Local]:
        """As `local`, only those that run, and those too that are none of Swarm's: their `id` and `service` are their name."""

    def wait(self, seconds: float) -> bool:
        """Until a container of this node starts or ends (True), or the seconds are over (False)."""

    def kill(self, container: str) -> None:
        """SIGKILL, at once."""

    def lines(self, container: str, most: int) -> list[str]: ...


class Containers(Protocol):
    @property
    def images(self) -> Images: ...

    @property
    def services(self) -> Services: ...

    @property
    def node(self) -> Node: ...

    @property
    def printed(self) -> Printed: ...


def labelled(found: Mapping[str, str], wanted: Mapping[str, str]) -> bool:
    """Whether all the wanted labels are there; "" stands for any value."""
    return all(k in found and (not v or found[k] == v) for k, v in wanted.items())


__all__: Sequence[str] = (
    "BuildDone", "Containers", "ImageSeen", "Images", "Job", "JobDone", "Limits", "Local", "Machine", "Node",
    "Say", "ServiceSeen", "ServiceSpec", "Services", "TaskSeen", "labelled",
)  # fmt: skip
