"""Plain containers for what must listen on loopback or outlive Swarm's tasks: backing services, HAProxy, the asker."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from backbone.clock import SystemClock
from bootstrapper.engine import Engine, Refused
from bootstrapper.files import digest
from bootstrapper.installation import Installation
from bootstrapper.shell import Failed
from contracts.lines import LOG_FILES

KEY = "berth.key"
MIB = 1 << 20
NETWORK = 15.0
"""Seconds that a network which is there may be denied."""


@dataclass(frozen=True)
class Container:
    """All of one container as values. binds: host path or volume -> place inside (with `:ro`). ports: inside -> (address, port)."""

    name: str
    image: str
    uid: int
    memory: int
    networks: Sequence[tuple[str, tuple[str, ...]]]
    binds: Mapping[str, str] = field(default_factory=dict)
    ports: Mapping[int, tuple[str, int]] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    command: Sequence[str] = ()
    secrets: Path | None = None
    restart: bool = True
    version: str = ""
    nofile: int = 4096

    def spec(self, labels: Mapping[str, str]) -> dict[str, Any]:
        binds = [f"{source}:{to}" for source, to in self.binds.items()]
        if self.secrets:
            binds.append(f"{self.secrets}:/run/secrets:ro")
        host = {
            "Binds": binds,
            "Init": True,
            "ReadonlyRootfs": True,
            "Tmpfs": {"/tmp": "size=64m,mode=1777"},
            "CapDrop": ["ALL"],
            "SecurityOpt": ["no-new-privileges"],
            "Memory": self.memory * MIB,
            "MemorySwap": self.memory * MIB,
            "PidsLimit": 512,
            "Ulimits": [{"Name": "nofile", "Soft": self.nofile, "Hard": self.nofile}],
            "RestartPolicy": {"Name": "always" if self.restart else "no"},
            "LogConfig": {"Type": "json-file", "Config": LOG_FILES},
            "NetworkMode": self.networks[0][0],
            "PortBindings": {
                f"{inside}/tcp": [{"HostIp": address, "HostPort": str(port)}]
                for inside, (address, port) in self.ports.items()
            },
        }
        return {
            "Image": self.image,
            "User": f"{self.uid}:{self.uid}",
            "Env": [f"{k}={v}" for k, v in self.environment.items()],
            **({"Cmd": list(self.command)} if self.command else {}),
            "ExposedPorts": {f"{inside}/tcp": {} for inside in self.ports},
            "Labels": dict(labels),
            "HostConfig": host,
            "NetworkingConfig": {"EndpointsConfig": {self.networks[0][0]: {"Aliases": list(self.networks[0][1])}}},
        }


class Containers:
    """Makes what runs equal to what is declared; leaves alone what already is."""

    def __init__(self, engine: Engine, installation: Installation) -> None:
        self.engine = engine
        self.installation = installation

    def run(self, container: Container) -> bool:
        """False where it ran already as declared: nothing was touched."""
        key = self._key(container)
        state = self.engine.find(f"/containers/{container.name}/json")
        if state and state["State"]["Running"] and state["Config"]["Labels"].get(KEY) == key:
            return False
        if state:
            self.engine.remove(f"/containers/{container.name}", force=True, v=False)
        self._make(container, {KEY: key, self.installation.label: self.installation.name})
        return True

    def _make(self, container: Container, labels: Mapping[str, str]) -> None:
        """Right after a `down` an overlay network, which nothing uses any more, is still being taken down: Docker denies then that it
        is there. What was made meanwhile is made anew: started again it might be on no network."""
        clock = SystemClock()
        end = clock.monotonic() + NETWORK
        while True:
            made = self.engine.call("POST", "/containers/create", container.spec(labels), name=container.name)
            try:
                for network, aliases in container.networks[1:]:
                    body = {"Container": made["Id"], "EndpointConfig": {"Aliases": list(aliases)}}
                    self.engine.call("POST", f"/networks/{network}/connect", body)
                self.engine.call("POST", f"/containers/{made['Id']}/start")
                return
            except Refused as refused:
                if not (refused.status == 404 and "network" in str(refused)) or clock.monotonic() > end:
                    raise
                self.engine.remove(f"/containers/{made['Id']}", force=True, v=False)
            clock.sleep(0.3)

    def _key(self, container: Container) -> str:
        secrets = container.secrets
        return digest(container, *([secrets] if secrets and secrets.exists() else []))

    def finish(self, container: Container, seconds: float, watch: Callable[[], None] = lambda: None) -> tuple[int, str]:
        """Run one to its end: (exit code, what it printed). It is removed afterwards. `watch` may raise meanwhile."""
        self.engine.remove(f"/containers/{container.name}", force=True)
        self.run(container)
        clock = SystemClock()
        end = clock.monotonic() + seconds
        try:
            while (state := self.engine.call("GET", f"/containers/{container.name}/json")["State"])["Running"]:
                if clock.monotonic() > end:
                    raise Failed(f"{container.name} was not done after {seconds:.0f} s:\n{self.said(container.name)}")
                watch()
                clock.sleep(0.1)
            return state["ExitCode"], self.said(container.name)
        finally:
            self.engine.remove(f"/containers/{container.name}", force=True)

    def said(self, name: str, lines: int = 40) -> str:
        """The last lines a container printed (Docker frames each piece by eight bytes)."""
        raw: bytes = self.engine.raw(f"/containers/{name}/logs", stdout=True, stderr=True, tail=str(lines))
        text, at = b"", 0
        while at + 8 <= len(raw):
            size = int.from_bytes(raw[at + 4 : at + 8], "big")
            text += raw[at + 8 : at + 8 + size]
            at += 8 + size
        return text.decode(errors="replace").strip()

    def mine(self) -> list[dict[str, Any]]:
        """Every container of this installation, Swarm's tasks not among them."""
        filters = {"label": [f"{self.installation.label}={self.installation.name}"]}
        found: list[dict[str, Any]] = self.engine.call("GET", "/containers/json", all=True, filters=filters)
        return [c for c in found if "com.docker.swarm.task.id" not in c["Labels"]]
