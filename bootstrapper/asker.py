"""Asks, from one container on the platform's network, whether what was started really answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from backbone.clock import SystemClock
from bootstrapper.containers import Container, Containers
from bootstrapper.engine import Engine
from bootstrapper.given import BASE, Where
from bootstrapper.installation import Installation
from bootstrapper.shell import Failed
from bootstrapper.vault import PACKAGES, Vault
from contracts.topics import ALL_TOPICS, HOUR, Topic

UID = 10007
HERE = Path(__file__).resolve().parent / "inside"
PROBE = Topic("berth-ready", "nothing", 1, HOUR)
LOOK = 1.0
TRIES = 5
CONTAINERS = ("berth", "zips", "builds")


def topic(wish: Topic) -> dict[str, Any]:
    """How one is made. A compacted one is cleaned early: every checker reads it to its end before it serves."""
    if wish.compacted:
        configs = {"cleanup.policy": "compact", "min.cleanable.dirty.ratio": "0.1", "segment.ms": str(HOUR * 1000)}
    else:
        configs = {"retention.ms": str(wish.keep * 1000)}
    return {"name": wish.name, "partitions": wish.partitions, "configs": configs}


def wanted(where: Where, vault: Vault, seconds: float) -> dict[str, Any]:
    """The asker's task: each backing service with its address, its login and what it is to hold."""
    own = where.given
    kafka, blobs, registry = where.kafka("berth"), where.blobs(), where.registry()
    ours = "POSTGRES_URL" not in own
    users = {
        p: {"password": vault.read(f"kafka-{p}"), "groups": [f"{where.installation.name}.{p}", p]} for p in PACKAGES
    }
    url = where.postgres("berth")["POSTGRES_URL"]
    task: dict[str, Any] = {
        "seconds": seconds,
        "kafka": {
            "url": kafka["KAFKA_URL"],
            "user": kafka.get("KAFKA_USER", ""),
            "password": kafka.get("KAFKA_PASSWORD", ""),
            "replicas": 1 if "KAFKA_URL" not in own else -1,
            "probe": PROBE.name,
            "topics": [topic(t) for t in (PROBE, *ALL_TOPICS)],
            "users": users if "KAFKA_URL" not in own else {},
        },
        "postgres": {
            "url": url,
            "admin": url.rpartition("/")[0] + "/postgres",
            "database": where.database if ours else "",
            "roles": {p: vault.read(f"postgres-{p}") for p in PACKAGES} if ours else {},
        },
        "azurite": {"url": blobs["BLOB_URL"], "containers": CONTAINERS},
    }
    if "REGISTRY_URL" not in own:
        login = {"user": registry["REGISTRY_USER"], "password": registry["REGISTRY_PASSWORD"]}
        task["registry"] = {"url": "registry:5000", **login}
    if "LDAP_URL" not in own:
        word = vault.read("slapd-reader")
        task["slapd"] = {
            "url": "ldaps://slapd:1636",
            "bind": f"cn=reader,{BASE}",
            "password": word,
            "people": f"ou=people,{BASE}",
        }
    return task


class Crashes:
    """Swarm starts a broken task again and again without a pause: after a few nobody needs to wait any longer."""

    def __init__(self, engine: Engine, services: Sequence[str]) -> None:
        self._engine, self._services = engine, services
        self._dead: dict[str, set[str]] = {name: set() for name in services}
        self._looked = 0.0

    def look(self) -> None:
        clock = SystemClock()
        if clock.monotonic() < self._looked + LOOK:
            return
        self._looked = clock.monotonic()
        ids = {s["ID"]: s["Spec"]["Name"] for s in self._engine.call("GET", "/services")}
        for task in self._engine.call("GET", "/tasks", filters={"service": list(self._services)}):
            name = ids.get(task["ServiceID"], "")
            if task["Status"]["State"] in ("failed", "rejected") and name in self._dead:
                self._dead[name].add(task["ID"])
                if len(self._dead[name]) >= TRIES:
                    why = task["Status"].get("Err", "")
                    raise Failed(f"{name} crashes again and again: {why}", f"docker service logs --tail 50 {name}")


class Asker:
    def __init__(self, installation: Installation, containers: Containers, vault: Vault) -> None:
        self.installation = installation
        self.containers = containers
        self.vault = vault
        self._looked = 0.0
        self.slowest: list[str] = []

    def _container(self, name: str, image: str, module: str, words: Sequence[str], files: dict[str, str]) -> Container:
        own = self.installation.own(name)
        return Container(
            name=own,
            image=image,
            uid=UID,
            memory=192,
            networks=((self.installation.name, ()),),
            binds={str(HERE): "/opt/asker/bootstrapper/inside:ro"},
            environment={"PYTHONPATH": "/opt/asker:/opt/berth/site", "PYTHONDONTWRITEBYTECODE": "1"},
            command=("python3", "-m", f"bootstrapper.inside.{module}", *words),
            secrets=self.vault.give(name, UID, files),
            restart=False,
        )

    def prepare(self, image: str, where: Where, seconds: float = 180) -> str:
        """Every backing service answered and holds its topics, users and roles; else Failed with each one's reason."""
        files = {"wanted.json": json.dumps(wanted(where, self.vault, seconds)), "ca.crt": self.vault.read("ca.crt")}
        container = self._container("prepare", image, "prepare", (), files)
        code, said = self.containers.finish(container, seconds + 15, self._no_crash)
        if code:
            raise Failed(f"Not every backing service is ready:\n{said}\n{self._crashed()}", "./berth status")
        return said

    def _no_crash(self) -> None:
        """Docker's pause between restarts grows: one that is in it a second time will not get well by waiting."""
        clock = SystemClock()
        if clock.monotonic() < self._looked + LOOK:
            return
        self._looked = clock.monotonic()
        for found in self.containers.mine():
            if found["State"] == "restarting":
                name = found["Names"][0].lstrip("/")
                if self.containers.engine.call("GET", f"/containers/{name}/json")["RestartCount"] > 1:
                    raise Failed(
                        f"{name} crashes again and again:\n{self.containers.said(name, 12)}", f"docker logs {name}"
                    )

    def _crashed(self) -> str:
        """Of containers that do not run: what they said last."""
        out = []
        for found in self.containers.mine():
            name = found["Names"][0].lstrip("/")
            if found["State"] in ("restarting", "exited"):
                out.append(f"{name} is {found['State']}: {self.containers.said(name, 8)}")
        return "\n".join(out)

    def reasons(
        self, image: str, services: Sequence[str], seconds: float, watch: Callable[[], None] = lambda: None
    ) -> dict[str, str]:
        """Service -> why its /ready is not 200 after so many seconds; empty where it is."""
        if not services:
            return {}
        files = {"services.json": json.dumps({"services": list(services), "seconds": seconds})}
        container = self._container("ready", image, "ready", (), files)
        _, said = self.containers.finish(container, seconds + 15, watch)
        self.slowest = said.splitlines()[-2:-1]
        found: dict[str, str] = json.loads(said.splitlines()[-1])
        return found

    def ready(self, image: str, services: Sequence[str], seconds: float = 300) -> None:
        """Every subsystem's /ready says 200; else Failed with each one's reasons, at once where one only crashes."""
        watch = Crashes(self.containers.engine, services).look
        bad = {name: why for name, why in self.reasons(image, services, seconds, watch).items() if why}
        if bad:
            lines = "\n".join(f"{name}: {why}" for name, why in sorted(bad.items()))
            raise Failed(f"Not every subsystem is ready:\n{lines}", f"docker service logs {min(bad)}")
