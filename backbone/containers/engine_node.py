"""One node's own Docker, for its agent: which Swarm containers are here, where they answer, how they ended."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import docker  # type: ignore[import-untyped]  # its stubs lag behind it

from backbone.containers import Local, Machine
from backbone.containers.engine_connection import Connection, by_labels, told

RECONNECT = 0.5
ENDED_KEPT = 1000


class EngineNode:
    def __init__(self, connection: Connection) -> None:
        self._c = connection
        self._machine: Machine | None = None
        self._ended: dict[str, tuple[int, str]] = {}
        self._news, self._watching = threading.Event(), False

    def machine(self) -> Machine:
        """Asked once: size and address of a node stay."""
        if self._machine is None:
            with told("asking Docker about this node"):
                info = self._c.api.info()
            swarm = info.get("Swarm") or {}
            self._machine = Machine(swarm.get("NodeID", ""), info["Name"], swarm.get("NodeAddr", ""), info["NCPU"], info["MemTotal"])
        return self._machine

    def local(self, labels: Mapping[str, str]) -> list[Local]:
        with told("listing containers"):
            found = self._c.api.containers(all=True, filters=by_labels({"com.docker.swarm.task.id": "", **labels}))
        return [self._local(f) for f in found]

    def running(self, labels: Mapping[str, str]) -> list[Local]:
        with told("listing containers"):
            found = self._c.api.containers(filters=by_labels(labels))
        return [self._local(f) for f in found]

    def wait(self, seconds: float) -> bool:
        if not self._watching:
            self._watching = True
            threading.Thread(target=self._watch, name="docker-events", daemon=True).start()
        happened = self._news.wait(seconds)
        self._news.clear()
        return happened

    def kill(self, container: str) -> None:
        with told(f"killing {container[:12]}"):
            try:
                self._c.api.kill(container, "SIGKILL")
            except docker.errors.NotFound:
                pass
            except docker.errors.APIError as error:
                if error.response is None or error.response.status_code != 409:
                    raise

    def lines(self, container: str, most: int) -> list[str]:
        with told(f"the log of {container[:12]}"):
            try:
                raw: bytes = self._c.api.logs(container, tail=most)
            except docker.errors.NotFound:
                return []
        return raw.decode("utf-8", "replace").splitlines()

    def _local(self, raw: Any) -> Local:
        labels, state = raw["Labels"], raw["State"]
        code, reason = self._end(raw["Id"]) if state in ("exited", "dead") else (0, "")
        name = raw["Names"][0].lstrip("/") if raw["Names"] else ""
        return Local(
            id=labels.get("com.docker.swarm.task.id", name),
            container=raw["Id"],
            service=labels.get("com.docker.swarm.service.name", name),
            labels=labels,
            state="exited" if state in ("exited", "dead", "removing") else "created" if state == "created" else "running",
            incarnation=raw["Id"][:12],
            address=self._address(raw) if state == "running" else "",
            code=code,
            reason=reason,
            started=datetime.fromtimestamp(raw["Created"], UTC),
            networks={name: one.get("IPAddress", "") for name, one in (raw.get("NetworkSettings") or {}).get("Networks", {}).items()},
        )

    def _address(self, raw: Any) -> str:
        """IPv4's published port: the two families' ports may differ."""
        ports = [p["PublicPort"] for p in raw.get("Ports") or [] if p.get("PublicPort") and ":" not in p.get("IP", "")]
        return f"{self.machine().address}:{ports[0]}" if ports else ""

    def _end(self, container: str) -> tuple[int, str]:
        """How it ended, asked once."""
        if container not in self._ended:
            if len(self._ended) > ENDED_KEPT:
                self._ended.clear()
            with told(f"looking at {container[:12]}"):
                try:
                    state = self._c.api.inspect_container(container)["State"]
                except docker.errors.NotFound:
                    return 0, "removed"
            code = int(state.get("ExitCode", 0))
            reason = "it needed more memory than its limit" if state.get("OOMKilled") else state.get("Error") or f"exit code {code}"
            self._ended[container] = (code, reason)
        return self._ended[container]

    def _watch(self) -> None:
        """Wakes `wait`; a broken stream counts as news, since something may have been missed."""
        while True:
            try:
                client = self._c.client(None)  # type: ignore[arg-type]
                for _ in client.events(filters={"type": "container", "event": ["start", "die", "destroy"]}):
                    self._news.set()
            except Exception:  # whatever broke it, it is opened again
                pass
            self._news.set()
            threading.Event().wait(RECONNECT)
