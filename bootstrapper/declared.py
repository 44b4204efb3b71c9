"""The words the platform is declared in: what a backing service and a subsystem are, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class Backing:
    """A backing service that is built and started here unless the setting named `setting` gives an address.

    files: of its folder, put into the image's context. prepared: artefact/part -> folder in the context.
    secrets: file in /run/secrets -> name of the secret (bootstrapper.vault). port: inside the container.
    published: name of the host port in Installation; always, or only when the installation is exposed.
    """

    name: str
    setting: str
    uid: int
    memory: int
    port: int
    files: tuple[str, ...] = ()
    prepared: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    published: Literal["always", "exposed", "never"] = "exposed"
    host_port_variable: str = ""


Need = Literal[
    "kafka", "documents", "tables", "blobs", "directory", "signing", "scratch", "builds", "docker", "door", "host", "registry",
]  # fmt: skip
"""What `bootstrapper.wiring` knows how to give."""


@dataclass(frozen=True)
class Subsystem:
    """One Swarm service. `needs` decides which settings, secrets and mounts it is given: nothing it did not ask for.

    `reads`: folders of the repository, beside its own and what all share, whose change is a change of it. `settings`:
    what it is told of the environment of `up`, where that says something.
    """

    package: str
    role: str = ""
    memory: int = 192
    needs: tuple[Need, ...] = ("kafka",)
    uid: int = 10100
    everywhere: bool = False
    replicas: int = 1
    alias: str = ""
    reads: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The service's name without the installation's: app-controller, sensor-manager-intake, agent."""
        return self.alias or "-".join(filter(None, (self.package, self.role))).replace("_", "-")

    @property
    def source(self) -> str:
        """As it calls itself in its lines and messages: sensor_manager.intake."""
        return ".".join(filter(None, (self.package, self.role)))

    @property
    def command(self) -> tuple[str, ...]:
        return tuple(filter(None, ("python3", "-m", self.package, self.role)))
