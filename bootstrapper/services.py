"""The subsystems' Swarm services: one declared value each; only what differs is sent, rolled by digest."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from backbone.clock import SystemClock
from bootstrapper.containers import KEY, MIB
from bootstrapper.declared import Subsystem
from bootstrapper.engine import Engine, Refused
from bootstrapper.files import digest
from bootstrapper.installation import Installation
from bootstrapper.shell import Failed
from bootstrapper.wiring import Wires
from contracts.lines import LOG_FILES

SECOND = 10**9
PIDS = 256
CODE = "berth.code"


class Services:
    def __init__(self, engine: Engine, installation: Installation) -> None:
        self.engine = engine
        self.installation = installation

    def _secret(self, service: str, name: str, content: str) -> dict[str, Any]:
        """Swarm's secrets never change, so the content is part of the name. Gives its id and name."""
        own = self.installation
        short = hashlib.sha256(content.encode()).hexdigest()[:10]
        full = f"{own.own(service)}-{name.replace('.', '-')}-{short}"
        found = self.engine.call("GET", "/secrets", filters={"name": [full]})
        exact = [s for s in found if s["Spec"]["Name"] == full]
        if exact:
            return {"id": exact[0]["ID"], "name": full}
        labels = {own.label: own.name, "berth.service": own.own(service)}
        body = {"Name": full, "Labels": labels, "Data": base64.b64encode(content.encode()).decode()}
        return {"id": self.engine.call("POST", "/secrets/create", body)["ID"], "name": full}

    def spec(self, subsystem: Subsystem, image: str, wires: Wires) -> dict[str, Any]:
        own = self.installation
        secrets = []
        for name, content in sorted(wires.files.items()):
            kept = self._secret(subsystem.name, name, content)
            file = {"Name": name, "UID": str(subsystem.uid), "GID": str(subsystem.uid), "Mode": 0o400}
            secrets.append({"SecretID": kept["id"], "SecretName": kept["name"], "File": file})
        container = {
            "Image": image,
            "Command": list(subsystem.command),
            "Env": [f"{k}={v}" for k, v in sorted(wires.environment.items())],
            "User": f"{subsystem.uid}:{subsystem.uid}",
            "Groups": wires.groups,
            "Init": True,
            "ReadOnly": True,
            "CapabilityDrop": ["ALL"],
            "Mounts": wires.mounts,
            "Secrets": secrets,
            "StopGracePeriod": 10 * SECOND,
            "Labels": {own.label: own.name, "berth.subsystem": subsystem.name, "berth.source": subsystem.source},
        }
        return {
            "Name": own.own(subsystem.name),
            "Labels": {own.label: own.name, "berth.subsystem": subsystem.name},
            "TaskTemplate": {
                "ContainerSpec": container,
                "Resources": {"Limits": {"MemoryBytes": subsystem.memory * MIB, "Pids": PIDS}},
                "RestartPolicy": {"Condition": "any", "Delay": 0, "MaxAttempts": 0},
                "Placement": {"Constraints": wires.constraints},
                "LogDriver": {"Name": "json-file", "Options": LOG_FILES},
                "Networks": [{"Target": own.name}, {"Target": f"{own.name}0"}],
            },
            "Mode": {"Global": {}} if subsystem.everywhere else {"Replicated": {"Replicas": subsystem.replicas}},
            # Docker's own watch after a task's start is five seconds unless said; readiness is asked by the asker
            "UpdateConfig": {
                "Parallelism": 1,
                "Delay": 0,
                "FailureAction": "continue",
                "Monitor": SECOND // 4,
                "Order": "start-first",
            },
            "EndpointSpec": {"Mode": "dnsrr"},
        }

    def image_of(self, subsystem: Subsystem, code: str) -> str:
        """The image it runs from, where that holds the very code it needs; else empty."""
        now = self.engine.find(f"/services/{self.installation.own(subsystem.name)}")
        if not now or now["Spec"]["Labels"].get(CODE) != code:
            return ""
        image: str = now["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"]
        return image

    def put(self, subsystem: Subsystem, image: str, wires: Wires, code: str) -> bool:
        """True where something was sent: the service is new, or differs from what is declared. `code` is the hash of
        all the code it needs, kept as a label."""
        spec = self.spec(subsystem, image, wires)
        spec["Labels"][CODE] = code
        key = digest(repr(spec))
        spec["Labels"][KEY] = key
        now = self.engine.find(f"/services/{spec['Name']}")
        if now and now["Spec"]["Labels"].get(KEY) == key:
            return False
        if not now:
            self.engine.call("POST", "/services/create", spec)
            return True
        self._update(spec)
        return True

    def _update(self, spec: dict[str, Any]) -> None:
        """A stale version answers 500, not 409: read anew and say it again."""
        for _ in range(5):
            now = self.engine.call("GET", f"/services/{spec['Name']}")
            spec["TaskTemplate"]["ForceUpdate"] = now["Spec"]["TaskTemplate"].get("ForceUpdate", 0)
            try:
                self.engine.call("POST", f"/services/{now['ID']}/update", spec, version=str(now["Version"]["Index"]))
                return
            except Refused as refused:
                if refused.status != 500:
                    raise
        raise Failed(f"The service {spec['Name']} changed again and again while it was updated.")

    def settled(self, subsystem: Subsystem, seconds: float = 300) -> None:
        """Its wanted tasks all run the newest version; else Failed with Docker's own reason."""
        clock = SystemClock()
        end = clock.monotonic() + seconds
        name = self.installation.own(subsystem.name)
        why = "no task yet"
        while clock.monotonic() < end:
            service = self.engine.call("GET", f"/services/{name}")
            state = service.get("UpdateStatus", {}).get("State", "completed")
            tasks = self.engine.call("GET", "/tasks", filters={"service": [name], "desired-state": ["running"]})
            image = service["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"]
            new = [t for t in tasks if t["Spec"]["ContainerSpec"]["Image"] == image]
            running = [t for t in new if t["Status"]["State"] == "running"]
            if state != "updating" and running and len(running) == len(tasks):
                return
            why = next((t["Status"].get("Err", "") for t in tasks if t["Status"].get("Err")), why)
            clock.sleep(0.2)
        raise Failed(f"{name} does not run: {why}.", f"docker service ps --no-trunc {name}; docker service logs {name}")

    def mine(self) -> list[dict[str, Any]]:
        filters = {"label": [f"{self.installation.label}={self.installation.name}"]}
        found: list[dict[str, Any]] = self.engine.call("GET", "/services", filters=filters)
        return found

    def sweep(self) -> None:
        """Remove secrets of subsystems that no service uses any more."""
        used = {
            s["SecretName"]
            for service in self.mine()
            for s in service["Spec"]["TaskTemplate"]["ContainerSpec"].get("Secrets") or []
        }
        filters = {"label": [f"{self.installation.label}={self.installation.name}"]}
        for secret in self.engine.call("GET", "/secrets", filters=filters):
            if "berth.service" in secret["Spec"]["Labels"] and secret["Spec"]["Name"] not in used:
                try:
                    self.engine.remove(f"/secrets/{secret['ID']}")
                except Refused as refused:  # a task that is just ending still holds it: the next `up` takes it
                    if refused.status not in (400, 409):
                        raise
