"""The steps that bring up backing services: build, start, ask."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import cast

from bootstrapper import base as base_image
from bootstrapper import weight
from bootstrapper.backing.haproxy.backing import BACKING as HAPROXY
from bootstrapper.containers import Container
from bootstrapper.declared import Backing
from bootstrapper.work import Work

__all__ = ["HAPROXY", "ask", "base", "build", "prepare", "run", "secrets"]
HERE = Path(__file__).resolve().parent


def secrets(work: Work) -> None:
    work.vault.make()
    work.vault.trust_registry()
    work.open_engine()


def base(work: Work) -> None:
    work.base = base_image.make(work.engine, work.prepared)


def prepare(work: Work, name: str, make: Callable[[], object]) -> None:
    work.folders[name] = cast(Path, make())


def build(work: Work, backing: Backing) -> None:
    folder = HERE / "backing" / backing.name
    folders = {}
    for source, to in backing.prepared.items():
        name, _, part = source.partition("/")
        folders[to] = work.folders[name] / part
    files = [folder / f for f in backing.files]
    work.made[backing.name] = work.images.build(backing.name, work.the_base(), folder / "Dockerfile", files, folders)


def run(work: Work, backing: Backing) -> None:
    """Its own secrets folder, its volume, its alias on the overlay; a port of the host only where declared."""
    own = work.installation
    files = {to: work.vault.read(name) for to, name in backing.secrets.items()}
    shown = backing.published == "always" or (backing.published == "exposed" and own.exposed)
    address = own.address if backing.published == "always" else "127.0.0.1"
    variable = {backing.host_port_variable: str(own.port(backing.name))} if backing.host_port_variable else {}
    # published through the platform's bridge: what comes by docker_gwbridge the nodes' firewall refuses
    bridge = ((f"{own.name}0", ()),) if shown else ()
    work.containers.run(
        Container(
            name=own.own(backing.name),
            image=work.made[backing.name],
            uid=backing.uid,
            memory=backing.memory,
            networks=((own.name, (backing.name,)), *bridge),
            binds={own.own(backing.name): "/data"},
            ports={backing.port: (address, own.port(backing.name))} if shown else {},
            environment=variable,
            secrets=work.vault.give(backing.name, backing.uid, files),
        )
    )


def ask(work: Work) -> None:
    weight.give()
    work.asker.prepare(work.made["python"], work.where)
