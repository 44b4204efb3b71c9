"""sensor_manager's roles and identity as processes on the real Kafka and PostgreSQL, with a database of their own."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from typing import Any

from backbone.backbone import Backbone, Parts
from backbone.bus.kafka import open_bus
from backbone.clock import SystemClock
from backbone.context import Action, acting
from backbone.settings import Settings
from backbone.tokens import Claims, SigningKey, new_key, sign
from cli.sending import Door, Outcome, Reading
from contracts.messages import BindSensors, SensorsBound
from contracts.messages.deployment import Need
from contracts.topics import DEPLOYMENTS
from tests.support.databases import own_database
from tests.support.process import Process, eventually, running
from tests.support.real import address
from tests.support.tokens import subsystem_token

CLOCK = SystemClock()


class Quiet(dict[str, str]):
    """A failing test prints its arguments: these hold secrets."""

    def __repr__(self) -> str:
        return "Quiet(***)"


class RealHouse:
    """Dora's workspace. Each role is one process; `start` adds one, `stop` ends it by SIGTERM or another signal."""

    def __init__(self, settings: Mapping[str, str], stack: ExitStack) -> None:
        self.settings, self._stack = settings, stack
        self.processes: dict[str, Process] = {}
        self.lines: list[str] = []
        self.identity = stack.enter_context(running(["-m", "identity"], settings, 60))
        for role in ("api", "intake", "storage", "streams"):
            self.start(role)
        claims = {"roles": ("developer",), "workspaces": {"dora": "owner"}, "workspace": "dora"}
        self.dora = self.signed("dora", "user", **claims)
        self._bus = open_bus(Settings({name: address(name) for name in ("KAFKA_URL", "KAFKA_USER", "KAFKA_PASSWORD")}), CLOCK)
        stack.callback(self._bus.close)

    def start(self, role: str) -> None:
        own = {"BERTH_INTERNAL_URL": f"http://127.0.0.1:{self.identity.port}"}
        token = subsystem_token("sensor_manager", self.settings["BERTH_SIGNING_KEY"], self.settings["BERTH_INSTALLATION"], CLOCK.now())
        environment = {**self.settings, **own, "BERTH_TOKEN": token}
        process = self._stack.enter_context(running(["-m", "sensor_manager", role], environment, 60))
        threading.Thread(target=self._drain, args=(role, process), daemon=True).start()
        self.processes[role] = process

    def _drain(self, role: str, process: Process) -> None:
        """A full pipe would hold the process up."""
        assert process.popen.stdout is not None
        for line in process.popen.stdout:
            self.lines.append(f"{role} {line}")

    def url(self, role: str) -> str:
        return f"http://127.0.0.1:{self.processes[role].port}"

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        status, told = self.processes["api"].ask(method, f"/api/v1{path}", body, self.dora)
        assert status < 300, told
        return told

    def device(self, place: str, *kinds: str) -> Any:
        body = {"name": place.replace("/", "-"), "place": place, "sensors": [{"key": k, "kind": k} for k in kinds]}
        return self.ask("POST", "/devices", body)

    def send(self, device: Any, readings: list[Reading]) -> Outcome:
        door = Door(self.url("intake"), device["token"])
        try:
            return door.readings(readings)
        finally:
            door.close()

    def bind(self, deployment: str, *needs: Need) -> SensorsBound:
        parts: Any = None
        backbone = Backbone("app_controller", "", Settings(self.settings), CLOCK, parts or _no_parts())
        with acting(Action(workspace="dora")):
            said = backbone.wrapper.wrap([BindSensors(deployment=deployment, generation=1, needs=needs)])
        reader = self._bus.reader(DEPLOYMENTS)
        reader.read_to_end()
        self._bus.send([(s.topic, s.key, s.envelope) for s in said])
        found: list[SensorsBound] = []

        def heard() -> bool:
            for envelope in reader.poll(0.2):
                if envelope.name == "SensorsBound" and envelope.body["deployment"] == deployment:
                    found.append(SensorsBound.model_validate(envelope.body))
            return bool(found)

        eventually(heard, 10)
        reader.close()
        return found[0]

    def signed(self, subject: str, purpose: str, **facts: Any) -> str:
        claims = Claims(subject, purpose, CLOCK.new_id(), CLOCK.now() + timedelta(hours=1), **facts)
        return sign(claims, SigningKey(self.settings["BERTH_SIGNING_KEY"]), self.settings["BERTH_INSTALLATION"], CLOCK.now())


def _no_parts() -> Parts:
    def none() -> Any:
        raise AssertionError("only its wrapper is used")

    return Parts(none, none, none, none, none, none, none, none)


@contextmanager
def real_house() -> Iterator[RealHouse]:
    for name in ("KAFKA_URL", "KAFKA_USER", "KAFKA_PASSWORD"):
        address(name)
    with own_database("sensors") as (name, url):
        settings = Quiet({"POSTGRES_URL": url, "BERTH_INSTALLATION": name, "BERTH_SIGNING_KEY": new_key()})
        with ExitStack() as stack:
            yield RealHouse(settings, stack)
