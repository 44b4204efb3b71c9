"""A service and its run contract: what is started, how it is judged, what it may use."""

from __future__ import annotations

import shlex
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from contracts.manifest_texts import (
    Command,
    EnvironmentName,
    EnvironmentText,
    FilePath,
    HealthPath,
    Name,
    Runtime,
    Volume,
)
from contracts.manifest_values import Number, duration, per_second, percent, size

Cpu = Annotated[float, Number(0.05, 64.0)]
Memory = Annotated[int, size("16Mi", "256Gi")]
Port = Annotated[int, Number(1024, 65535, "Ports below 1024 are root's, and an instance does not run as root.")]


class Part(BaseModel):
    """Frozen, strict, and without room for keys that nobody reads."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, serialize_by_alias=True, validate_by_name=True)


class Health(Part):
    """How an instance is judged: exactly one of path, tcp and heartbeat. Times in seconds."""

    path: HealthPath | None = Field(
        default=None, description="Healthy when GET of this path answers 200 to 399.", examples=["/healthz"]
    )
    tcp: Literal[True] | None = Field(
        default=None, description="Healthy when the port accepts a connection.", examples=[True]
    )
    heartbeat: Annotated[float, duration("1s", "10m")] | None = Field(
        default=None, description="Healthy while the SDK's heartbeat is no older than this.", examples=["10s"]
    )
    within: Annotated[float, duration("1s", "15m")] = Field(
        default=30.0,
        description="How long an instance may take from its start to its first healthy answer.",
        examples=["20s"],
    )


class Limits(Part):
    """The cap of one instance: cores, bytes, processes and threads."""

    cpu: Cpu = Field(default=1.0, description="Cores an instance may use.", examples=[1])
    memory: Memory = Field(
        default=256 * 2**20, description="Memory an instance may use; more ends it.", examples=["128Mi"]
    )
    pids: Annotated[int, Number(8, 4096)] = Field(
        default=128, description="Processes and threads an instance may have.", examples=[64]
    )


class Reserve(Part):
    """What is set aside for one instance: cores, bytes."""

    cpu: Annotated[float, Number(0.01, 64.0)] | None = Field(
        default=None, description="Cores set aside; a fifth of the limit where it is not said.", examples=[0.2]
    )
    memory: Annotated[int, size("8Mi", "256Gi")] | None = Field(
        default=None, description="Memory set aside; half of the limit where it is not said.", examples=["64Mi"]
    )


class Scale(Part):
    """More instances under load: at_most, and one of cpu (share), requests (per second), lag (readings waiting)."""

    at_most: Annotated[int, Number(1, 100)] = Field(description="The most instances there may be.", examples=[6])
    cpu: Annotated[float, percent("5%", "100%")] | None = Field(
        default=None, description="One more when the instances use this share of their limit.", examples=["70%"]
    )
    requests: Annotated[float, per_second("0.1/s", "100000/s")] | None = Field(
        default=None, description="One more when each instance gets this many requests.", examples=["50/s"]
    )
    lag: Annotated[int, Number(1, 10_000_000)] | None = Field(
        default=None, description="One more when this many readings wait.", examples=[1000]
    )


class Service(Part):
    """One process of an app."""

    runtime: Runtime = Field(
        description="What it is written for; `berth runtimes` lists what there is.", examples=["python"]
    )
    command: Command | None = Field(
        default=None,
        description="The program and its arguments, run at the zip's root without a shell.",
        examples=["python app.py"],
    )
    port: Port | None = Field(
        default=None,
        description="Where it listens; other services of the app reach it as http://<service>:<port>.",
        examples=[8000],
    )
    public: bool = Field(
        default=False, description="This service answers at the app's link; one service of an app may.", examples=[True]
    )
    packages: FilePath | None = Field(
        default=None, description="The file in the zip that lists its packages.", examples=["requirements.txt"]
    )
    health: Health | None = Field(
        default=None,
        description="How it is judged; without it by its port, and without a port by running.",
        examples=[{"path": "/healthz", "within": "20s"}],
    )
    instances: Annotated[int, Number(1, 100)] = Field(default=1, description="How many run at once.", examples=[2])
    limits: Limits = Field(
        default=Limits(), description="The cap of each instance.", examples=[{"cpu": 1, "memory": "128Mi", "pids": 64}]
    )
    reserve: Reserve = Field(
        default=Reserve(), description="What is set aside for each instance.", examples=[{"cpu": 0.2, "memory": "64Mi"}]
    )
    storage: dict[Volume, Annotated[int, size("1Mi", "1Ti")]] = Field(
        default={},
        max_length=5,
        description="Named volumes kept over generations, at /<name>; such a service has one instance.",
        examples=[{"data": "1Gi"}],
    )
    scale: Scale | None = Field(
        default=None, description="More instances under load.", examples=[{"at_most": 6, "cpu": "70%"}]
    )
    environment: dict[EnvironmentName, EnvironmentText] = Field(
        default={}, max_length=100, description="Variables it is started with.", examples=[{"TARGET": "21"}]
    )
    secrets: Annotated[tuple[EnvironmentName, ...], Field(strict=False)] = Field(
        default=(),
        max_length=50,
        description="Names of secrets, set per deployment and mounted as files.",
        examples=[["MAIL_PASSWORD"]],
    )
    needs: Annotated[tuple[Name, ...], Field(strict=False)] = Field(
        default=(),
        max_length=20,
        description="Services of the app that are healthy before this one starts.",
        examples=[["web"]],
    )

    @property
    def argv(self) -> tuple[str, ...]:
        """The command as program and arguments; empty where the runtime brings its own."""
        return tuple(shlex.split(self.command)) if self.command else ()

    @property
    def probe(self) -> Health | None:
        """How to judge an instance; None says that one which runs is healthy."""
        return self.health or (Health(tcp=True) if self.port else None)

    @property
    def reserved_cpu(self) -> float:
        """Cores set aside for one instance."""
        return self.reserve.cpu or round(self.limits.cpu / 5, 3)

    @property
    def reserved_memory(self) -> int:
        """Bytes set aside for one instance."""
        return self.reserve.memory or self.limits.memory // 2
