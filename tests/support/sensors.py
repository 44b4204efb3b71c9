"""A memory platform with identity and sensor_manager, and the verbs that stories about sensors need."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from berth.transport import Event, answered, parsed

from backbone.context import Action, acting
from backbone.directory import Person
from backbone.memory import MemoryPlatform
from backbone.tokens import Claims, SigningKey, new_key, sign
from contracts.message import Message
from contracts.messages import BindSensors, SensorsBound, SensorsShort, UnbindSensors
from contracts.messages.deployment import Need
from contracts.topics import DEPLOYMENTS
from identity.subsystem import build as identity
from sensor_manager.intake.subsystem import build as intake
from sensor_manager.storage.subsystem import build as storage
from sensor_manager.streams.subsystem import build as streams
from sensor_manager.subsystem import build as api

PEM = new_key()


class House:
    """Dora is a developer, Eve another with a workspace of her own, Uma only a user."""

    def __init__(self) -> None:
        self.platform = MemoryPlatform({"BERTH_SIGNING_KEY": PEM})
        for name, groups in (("dora", ("developer",)), ("eve", ("developer",)), ("uma", ())):
            self.platform.directory.add(Person(name, name.title(), f"{name}@x", groups), f"pw-{name}")
        self.platform.add(identity, "identity")
        for role, build in (("api", api), ("intake", intake), ("storage", storage), ("streams", streams)):
            self.platform.add(build, "sensor_manager", role)
        self.peers, self.clock = self.platform.peers, self.platform.clock
        self.peers.token = self._signed("sensor_manager", "subsystem")
        self.dora, self.eve, self.uma = (self._login(name) for name in ("dora", "eve", "uma"))
        self.platform.settle()
        self._heard = self.platform.bus.reader(DEPLOYMENTS)
        self._said = self.platform.backbone("app_controller")

    def ask(self, method: str, path: str, body: Any = None, token: str | None = None, **more: str) -> tuple[int, Any]:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else b""
        got = self.peers.ask(method, path, raw, self.dora if token is None else token, more)
        return got.status, got.json

    def device(self, place: str, name: str = "", **sensors: str) -> Any:
        """Added by Dora; `sensors` are key=kind."""
        body = {"name": name or place.replace("/", "-"), "place": place, "sensors": [{"key": k, "kind": v} for k, v in sensors.items()]}
        status, made = self.ask("POST", "/devices", body)
        assert status == 201, made
        return made

    def send(self, device: Any, *readings: Any, packed: bool = False) -> tuple[int, Any]:
        """Posted with the device's token, then carried on to wherever they go."""
        body = json.dumps(readings[0] if len(readings) == 1 else list(readings)).encode()
        more = {"content-encoding": "gzip"} if packed else {}
        got = self.ask("POST", "/readings", gzip.compress(body) if packed else body, device["token"], **more)
        self.platform.settle()
        return got

    def bind(self, deployment: str, generation: int, *needs: Need, workspace: str = "dora") -> SensorsBound | SensorsShort:
        """What sensor_manager answers."""
        self.say(BindSensors(deployment=deployment, generation=generation, needs=needs), workspace)
        [envelope] = [e for e in self._heard.poll(0) if e.name in ("SensorsBound", "SensorsShort")]
        assert envelope.workspace == workspace
        if envelope.name == "SensorsShort":
            return SensorsShort.model_validate(envelope.body)
        return SensorsBound.model_validate(envelope.body)

    def unbind(self, deployment: str, generation: int) -> None:
        self.say(UnbindSensors(deployment=deployment, generation=generation), "dora")

    def say(self, message: Message, workspace: str) -> None:
        with acting(Action(workspace=workspace)):
            said = self._said.wrapper.wrap([message])
        self._said.bus.send([(s.topic, s.key, s.envelope) for s in said])
        self.platform.settle()

    def app(self, deployment: str, generation: int) -> AppTransport:
        """How the deployment's instances reach the platform."""
        return AppTransport(self, self._signed(deployment, "app", "dora", generation))

    def _signed(self, subject: str, purpose: str, workspace: str = "", generation: int = 0) -> str:
        now = self.clock.now()
        claims = Claims(subject, purpose, self.clock.new_id(), now + timedelta(days=99), workspace=workspace, generation=generation)
        return sign(claims, SigningKey(PEM), "memory", now)

    def _login(self, name: str) -> str:
        status, told = self.ask("POST", "/session", {"username": name, "password": f"pw-{name}"}, "")
        assert status == 201, told
        return str(told["access_token"])


class AppTransport:
    """The SDK's way to a platform in the same process. A stream gives `most` events and then ends, as a connection may."""

    def __init__(self, house: House, token: str, most: int = 1) -> None:
        self.house, self.token, self.most = house, token, most

    def get(self, path: str, query: Mapping[str, str]) -> Any:
        got = self.house.peers.get(_target(path, query), self.token)
        return answered(got.status, got.body)

    def events(self, path: str, query: Mapping[str, str], last: str) -> Iterator[Event]:
        more = {"last-event-id": last} if last else {}
        got = self.house.peers._run("GET", _target(path, query), b"", self.token, more, self.most)
        if got.status != 200:
            answered(got.status, got.body)
        yield from parsed(line.encode() for line in got.body.decode().splitlines())


def _target(path: str, query: Mapping[str, str]) -> str:
    from urllib.parse import urlencode

    return f"{path}?{urlencode(query)}" if query else path
