"""The graph of an `up`: what is made of what, in which order; every step finds out by itself whether its work stands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from backbone.clock import SystemClock
from bootstrapper import base as base_image
from bootstrapper import daemon, host, swarm
from bootstrapper.asker import Asker
from bootstrapper.base import Base
from bootstrapper.containers import Container, Containers
from bootstrapper.declared import Backing
from bootstrapper.engine import Engine
from bootstrapper.files import digest
from bootstrapper.given import Where
from bootstrapper.graph import Step
from bootstrapper.images import Images
from bootstrapper.installation import Installation
from bootstrapper.platform import BACKINGS
from bootstrapper.prepared import ROOT, Prepared
from bootstrapper.vault import Vault

HERE = Path(__file__).resolve().parent
Say = Callable[[str], None]


@dataclass
class Work:
    """What the steps hand to each other. `made` holds tags and references by name, `folders` prepared folders."""

    installation: Installation
    vault: Vault
    where: Where
    engine: Engine
    images: Images
    containers: Containers
    prepared: Prepared
    asker: Asker
    say: Say
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


def _host(work: Work) -> None:
    host.install(work.say)


def _docker(work: Work) -> None:
    daemon.start(work.say)


def _base(work: Work) -> None:
    work.base = base_image.make(work.engine, work.prepared)


def _prepare(work: Work, name: str, make: Callable[[], Path]) -> None:
    work.folders[name] = make()


def build_backing(work: Work, backing: Backing) -> None:
    folder = HERE / "backing" / backing.name
    folders = {}
    for source, to in backing.prepared.items():
        name, _, part = source.partition("/")
        folders[to] = work.folders[name] / part
    files = [folder / f for f in backing.files]
    work.made[backing.name] = work.images.build(backing.name, work.the_base(), folder / "Dockerfile", files, folders)


def run_backing(work: Work, backing: Backing) -> None:
    """Its own secrets folder, its volume, its alias on the overlay; a host port only where declared."""
    own = work.installation
    files = {to: work.vault.read(name) for to, name in backing.secrets.items()}
    shown = backing.published == "always" or (backing.published == "exposed" and own.exposed)
    address = own.address if backing.published == "always" else "127.0.0.1"
    variable = {backing.host_port_variable: str(own.port(backing.name))} if backing.host_port_variable else {}
    work.containers.run(
        Container(
            name=own.own(backing.name),
            image=work.made[backing.name],
            uid=backing.uid,
            memory=backing.memory,
            networks=((own.name, (backing.name,)), *(((f"{own.name}0", ()),) if shown else ())),
            binds={own.own(backing.name): "/data"},
            ports={backing.port: (address, own.port(backing.name))} if shown else {},
            environment=variable,
            secrets=work.vault.give(backing.name, backing.uid, files),
        )
    )


def _python(work: Work) -> None:
    folders = {"site": work.folders["site"] / "site", "vendor": work.folders["vendor"]}
    work.made["python"] = work.images.build("python", work.the_base(), HERE / "python.Dockerfile", (), folders)


def _ask(work: Work) -> None:
    work.asker.prepare(work.made["python"], work.where)


def backing_steps(work: Work) -> list[Step]:
    prepared = work.prepared
    steps = [
        Step("host", lambda: _host(work)),
        Step("docker", lambda: _docker(work), ("host",)),
        Step("secrets", lambda: (work.vault.make(), work.vault.trust_registry(), None)[-1]),
        Step("swarm", lambda: swarm.init(work.engine, work.installation.address), ("docker",)),
        Step("networks", lambda: swarm.networks(work.engine, work.installation), ("swarm",)),
        Step("base", lambda: _base(work), ("docker",), heavy=True),
        Step("wheels", lambda: _prepare(work, "site", prepared.site), heavy=True),
        Step("node", lambda: _prepare(work, "node", prepared.node), heavy=True),
        Step("vendor", lambda: _prepare(work, "vendor", lambda: prepared.vendor(work.folders["node"])), ("node",), heavy=True),
        Step("image python", lambda: _python(work), ("base", "wheels", "vendor"), heavy=True),
    ]
    needs = {"jars": ("host",), "azurite": ("node",)}
    make = {"jars": prepared.jars, "azurite": lambda: prepared.azurite(work.folders["node"])}
    for backing in work.ours():
        before = ["base"]
        for artefact in {source.partition("/")[0] for source in backing.prepared}:
            steps.append(Step(artefact, lambda a=artefact: _prepare(work, a, make[a]), needs[artefact], heavy=True))  # type: ignore[misc]
            before.append(artefact)
        name = backing.name
        steps += [
            Step(f"image {name}", lambda b=backing: build_backing(work, b), tuple(before), heavy=True),  # type: ignore[misc]
            Step(f"run {name}", lambda b=backing: run_backing(work, b), (f"image {name}", "secrets", "networks"), heavy=False),  # type: ignore[misc]
        ]
    running = tuple(f"run {b.name}" for b in work.ours())
    steps.append(Step("backing services ready", lambda: _ask(work), ("image python", "networks", "secrets", *running)))
    return steps


def open_work(installation: Installation, given: dict[str, str], say: Say) -> Work:
    vault = Vault(installation)
    engine = Engine()
    containers = Containers(engine, installation)
    return Work(
        installation=installation,
        vault=vault,
        where=Where(installation, vault, given),
        engine=engine,
        images=Images(engine, installation.home / "context"),
        containers=containers,
        prepared=Prepared(installation.home.parent / ".prepared"),
        asker=Asker(installation, containers, vault),
        say=say,
    )


__all__ = ["ROOT", "SystemClock", "digest", "Work", "backing_steps", "open_work"]
