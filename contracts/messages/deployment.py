"""A deployment's wish, and what the parts have seen of it."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from contracts.message import Message
from contracts.topics import DEPLOYMENTS


class Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class Need(Part):
    """Sensors a deployment asks for: a kind, a place pattern and how many."""

    name: str
    kind: str
    where: str
    at_least: int = 1
    at_most: int | None = None
    policy: str = "all"


class BoundSensor(Part):
    """`sensor` is the global id; `key` the device's own name for it."""

    sensor: str
    key: str
    device: str
    kind: str
    unit: str
    place: str


class Shortage(Part):
    """Why a need cannot be met, in a sentence, with what was found."""

    need: str
    kind: str
    where: str
    wanted: int
    found: int
    reason: str


class Probe(Part):
    """How the agent asks an instance; `within` is the seconds it may take to become healthy the first time."""

    path: str = ""
    tcp: bool = False
    within: float = 20.0


class ServiceWish(Part):
    """One service of a generation. cpu in cores, memory in bytes."""

    service: str
    image: str
    command: str
    port: int | None = None
    public: bool = False
    probe: Probe = Probe()
    instances: int = 1
    cpu: float = 1.0
    memory: int = 128 << 20
    pids: int = 64
    reserve_cpu: float = 0.2
    reserve_memory: int = 64 << 20
    environment: dict[str, str] = {}
    policy: str = "platform"


class DeploymentMessage(Message):
    topic: ClassVar = DEPLOYMENTS
    key_field: ClassVar = "deployment"
    deployment: str
    generation: int


class BindSensors(DeploymentMessage):
    """Order to sensor_manager: choose sensors for each need."""

    needs: tuple[Need, ...]


class SensorsBound(DeploymentMessage):
    """Each need has its sensors; the binding is at once the permission to use them."""

    binding: str
    sensors: dict[str, tuple[BoundSensor, ...]]


class SensorsShort(DeploymentMessage):
    """At least one need cannot be met."""

    shortages: tuple[Shortage, ...]


class UnbindSensors(DeploymentMessage):
    """Order to sensor_manager: this generation and those before it need no sensors any more."""


class RunDeployment(DeploymentMessage):
    """Order to deployer: make this generation run and take the link."""

    deployment_name: str
    app: str
    release: str
    services: tuple[ServiceWish, ...]
    deadline: datetime


class StopDeployment(DeploymentMessage):
    """Order to deployer: nothing of this deployment runs; with `destroy` its traces go too."""

    destroy: bool = False


class InstanceSeen(DeploymentMessage):
    """The agent of a node about one instance; `address` is host:port as the gateway reaches it."""

    service: str
    instance: str
    incarnation: str
    node: str
    address: str
    state: int
    reason: str = ""
    public: bool = False


class RouteWanted(DeploymentMessage):
    """Order to gateway: the link leads to healthy public instances of these generations (generation -> weight); empty: no link."""

    path: str
    weights: dict[int, int]


class RouteSeen(DeploymentMessage):
    """The front door serves the link with this many instances per generation (generation -> instances)."""

    path: str
    link: str
    servers: dict[int, int]


class DeploymentSeen(DeploymentMessage):
    """What the deployer sees of a generation: a state of contracts.states.Rollout, instances ready of wanted, and the link."""

    state: int
    reason: str = ""
    ready: int = 0
    wanted: int = 0
    link: str = ""
    log: str = ""
