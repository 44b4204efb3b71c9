"""What the steps of an `up` hand to each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bootstrapper.asker import Asker
from bootstrapper.base import Base
from bootstrapper.containers import Containers
from bootstrapper.declared import Backing, Subsystem
from bootstrapper.engine import Engine
from bootstrapper.given import Where
from bootstrapper.images import Images
from bootstrapper.installation import Installation
from bootstrapper.platform import BACKINGS, SUBSYSTEMS
from bootstrapper.prepared import ROOT, Prepared
from bootstrapper.services import Services
from bootstrapper.vault import Vault


@dataclass
class Work:
    """`made` holds tags and references by name, `folders` prepared folders; each is written by one step only."""

    installation: Installation
    vault: Vault
    where: Where
    engine: Engine
    images: Images
    containers: Containers
    services: Services
    prepared: Prepared
    asker: Asker
    say: Callable[[str], None]
    base: Base | None = None
    made: dict[str, str] = field(default_factory=dict)
    folders: dict[str, Path] = field(default_factory=dict)

    def the_base(self) -> Base:
        if self.base is None:
            raise RuntimeError("the base image is asked for before its step")
        return self.base

    def ours(self) -> list[Backing]:
        """Backing services that no given address replaces. HAProxy is the door's own step."""
        return [b for b in BACKINGS if b.setting and b.setting not in self.where.given]

    def subsystems(self) -> list[Subsystem]:
        """Those whose code is in this checkout."""
        return [s for s in SUBSYSTEMS if (ROOT / s.package / "__main__.py").exists()]

    def open_engine(self) -> None:
        """From here on Docker is told the registry's login, for pushes and for services."""
        self.engine.login(self.vault.registry_login(self.where.registry()))


def open_work(installation: Installation, given: Mapping[str, str], say: Callable[[str], None]) -> Work:
    vault = Vault(installation)
    engine = Engine()
    containers = Containers(engine, installation)
    return Work(
        installation=installation,
        vault=vault,
        where=Where(installation, vault, given),
        engine=engine,
        images=Images(engine, installation.home / "context", installation.home.parent / ".prepared/locks"),
        containers=containers,
        services=Services(engine, installation),
        prepared=Prepared(installation.home.parent / ".prepared"),
        asker=Asker(installation, containers, vault),
        say=say,
    )
