"""How an installation stands: what Docker runs, and what each subsystem says of itself through the front door."""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request
from dataclasses import asdict, dataclass

from rich.console import Console
from rich.table import Table

from bootstrapper.asker import Asker
from bootstrapper.containers import Containers
from bootstrapper.engine import Engine
from bootstrapper.given import Where, given
from bootstrapper.installation import Installation
from bootstrapper.platform import BACKINGS, SUBSYSTEMS
from bootstrapper.prepared import ROOT
from bootstrapper.services import Services
from bootstrapper.vault import Vault
from bootstrapper.wiring import urls

PATIENCE = 1.0


@dataclass(frozen=True)
class Part:
    """state: ok, starting, failed or off. why: empty where it is ok."""

    name: str
    kind: str
    state: str
    why: str = ""


@dataclass(frozen=True)
class Standing:
    installation: str
    url: str
    apps: str
    parts: tuple[Part, ...]

    @property
    def whole(self) -> bool:
        return all(p.state == "ok" for p in self.parts)


def backing_parts(containers: Containers, installation: Installation, replaced: set[str]) -> list[Part]:
    running = {c["Names"][0].lstrip("/"): c for c in containers.mine()}
    parts = []
    for backing in BACKINGS:
        if backing.setting in replaced:
            parts.append(Part(backing.name, "backing service", "ok", f"elsewhere, by {backing.setting}"))
            continue
        found = running.get(installation.own(backing.name))
        state = (
            {"running": "ok", "restarting": "failed", "created": "starting"}.get(found["State"], "off")
            if found
            else "off"
        )
        parts.append(
            Part(
                backing.name,
                "backing service",
                state,
                "" if state == "ok" else found["Status"] if found else "no container",
            )
        )
    return parts


def subsystem_parts(services: Services, asker: Asker, installation: Installation) -> list[Part]:
    """Asks each one's /ready from a container of the platform's own image."""
    there = {s["Spec"]["Name"]: s["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"] for s in services.mine()}
    declared = [s for s in SUBSYSTEMS if (ROOT / s.package / "__main__.py").exists()]
    asked = [installation.own(s.name) for s in declared if installation.own(s.name) in there]
    said = asker.reasons(there[asked[0]], asked, PATIENCE) if asked else {}
    parts = []
    for subsystem in declared:
        why = said.get(installation.own(subsystem.name))
        state = "off" if why is None else "failed" if why else "ok"
        parts.append(Part(subsystem.name, "subsystem", state, "no service" if why is None else why))
    return parts


def door_part(installation: Installation) -> Part:
    """An unknown caller must be told so by the API behind it: that is an answer, and the right one."""
    context = ssl.create_default_context(cafile=str(installation.home / "ca.crt"))
    url = f"https://localhost:{installation.port('https')}/api/v1/me"
    try:
        urllib.request.urlopen(url, context=context, timeout=5).close()
    except urllib.error.HTTPError as error:
        if error.code == 401:
            return Part("front door", "address", "ok")
        return Part("front door", "address", "failed", f"{url} answers {error.code}")
    except OSError as error:
        return Part("front door", "address", "failed", f"{url}: {error}")
    return Part("front door", "address", "failed", f"{url} lets in who has no token")


def look(engine: Engine, installation: Installation) -> Standing:
    vault = Vault(installation)
    replaced = given(installation)
    containers = Containers(engine, installation)
    parts = (
        *backing_parts(containers, installation, set(replaced)),
        *subsystem_parts(Services(engine, installation), Asker(installation, containers, vault), installation),
        door_part(installation),
    )
    return Standing(installation.name, *urls(Where(installation, vault, replaced)), parts)


def show(standing: Standing, console: Console, as_json: bool) -> None:
    if as_json:
        facts = {**asdict(standing), "whole": standing.whole}
        print(json.dumps(facts))
        return
    colour = {"ok": "green", "starting": "blue", "failed": "red", "off": "bright_black"}
    shape = {"ok": "●", "starting": "○", "failed": "■", "off": "◌"}
    table = Table("part", "what", "state", "why", box=None, padding=(0, 2, 0, 0))
    for part in standing.parts:
        table.add_row(part.name, part.kind, f"[{colour[part.state]}]{shape[part.state]} {part.state}[/]", part.why)
    console.print(table)
    console.print(f"{standing.installation}: {standing.url}   apps: {standing.apps}")
