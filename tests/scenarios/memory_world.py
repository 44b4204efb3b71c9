"""The whole platform in this process, on twins: the same order every time, time passes only when a story waits."""

from __future__ import annotations

import json as jsons
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, TypeVar
from urllib.parse import urlencode, urlsplit

import berth.transport

import app_controller.subsystem
import deployer.subsystem
import gateway.subsystem
import identity.subsystem
import logger.subsystem
import monitor.subsystem
import node_manager.subsystem
import node_manager.subsystem_agent
import sensor_manager.intake.subsystem
import sensor_manager.storage.subsystem
import sensor_manager.streams.subsystem
import sensor_manager.subsystem
from backbone.clock import new_trace
from backbone.containers.host import MemoryHost
from backbone.containers.memory import MemoryContainers
from backbone.containers.memory_app import Start
from backbone.directory import Person
from backbone.memory import MemoryPlatform
from backbone.subsystem import Subsystem
from backbone.tokens import Claims, SigningKey, new_key, sign
from contracts.topics import MESSAGE_TOPICS
from gateway.memory_front_door import MemoryFrontDoor
from node_manager.memory_figures import MemoryGauge
from node_manager.memory_probes import MemoryProber
from tests.scenarios.memory_parts import MemoryParts
from tests.scenarios.world import Answer

T = TypeVar("T")
PEOPLE = {"admin": "ada", "operator": "otto", "developer": "dora", "user": "uma"}
STEP = 0.25


class Died(BaseException):
    """The process ended at once: nothing after this line happened."""


class PeersTransport:
    """The SDK's way to the platform in the same process, with the instance's own token."""

    def __init__(self, platform: MemoryPlatform, token: str) -> None:
        self._platform, self._token = platform, token

    def get(self, path: str, query: Mapping[str, str]) -> Any:
        got = self._platform.peers.get(f"{path}?{urlencode(query)}" if query else path, self._token)
        return berth.transport.answered(got.status, got.body)

    def events(self, path: str, query: Mapping[str, str], last: str) -> Iterator[Any]:
        raise NotImplementedError("a story in one process asks for the latest")


class MemoryWorld:
    name = "memory"

    def __init__(self) -> None:
        pem = new_key()
        self.platform = p = MemoryPlatform({
            "BERTH_SIGNING_KEY": pem, "BERTH_BUILD_WORKERS": "0", "BERTH_RUNTIME_PYTHON": "python:memory",
            "BERTH_APPS_URL": "https://apps.memory",
        })  # fmt: skip
        self.containers = p.containers = MemoryContainers(p.clock, enter=self._enter)
        self.door = MemoryFrontDoor(self.containers)
        p.token_of = lambda name: self._subsystem_token(name, pem)
        for role, username in PEOPLE.items():
            p.directory.add(Person(username, username.title(), f"{username}@example.com", (role,)), f"pw-{username}")
        p.directory.add(Person("ugo", "Ugo", "ugo@example.com", ("user", "ws-dora")), "pw-ugo")
        self.parts = MemoryParts(p, self.containers)
        for build, name, role in (
            (identity.subsystem.build, "identity", ""),
            (sensor_manager.subsystem.build, "sensor_manager", "api"),
            (sensor_manager.intake.subsystem.build, "sensor_manager", "intake"),
            (sensor_manager.storage.subsystem.build, "sensor_manager", "storage"),
            (sensor_manager.streams.subsystem.build, "sensor_manager", "streams"),
            (app_controller.subsystem.build, "app_controller", ""),
            (deployer.subsystem.build, "deployer", ""),
            (node_manager.subsystem.build, "node_manager", "api"),
            (self._agent, "node_manager", "agent"),
            (lambda b: gateway.subsystem.build(b, self.door), "gateway", ""),
            (monitor.subsystem.build, "monitor", ""),
            (monitor.subsystem.build, "monitor", ""),
            (logger.subsystem.build, "logger", ""),
        ):
            self.parts.add(build, name, role)
        self.pass_time(1.0)

    # -- what a story may do ----------------------------------------------------------------------------------------------

    def login(self, role: str) -> str:
        username = PEOPLE[role]
        token: str = self.ask("POST", "/session", json={"username": username, "password": f"pw-{username}"}).ok(201)["access_token"]
        return token

    def workspace(self, role: str) -> str:
        return PEOPLE[role]

    def ask(
        self, method: str, path: str, token: str = "", json: Any = None, body: bytes | None = None, trace: str = "", kind: str = ""
    ) -> Answer:
        trace = trace or new_trace()
        headers = {"traceparent": f"00-{trace}-{trace[:16]}-01"} | ({"content-type": kind} if kind else {})
        content = body if body is not None else jsons.dumps(json).encode() if json is not None else b""
        got = self.platform.peers.ask(method, path, content, token, headers)
        self.platform.settle()
        return Answer(got.status, got.body, got.headers)

    def visit(self, link: str, path: str = "") -> Answer:
        got = self.door.answer(urlsplit(link).path + path)
        return Answer(got.status, got.body, got.headers)

    def until(self, look: Callable[[], T | None], seconds: float, what: str) -> T:
        passed = 0.0
        while True:
            found = look()
            if found is not None and found is not False:
                return found
            assert passed < seconds, f"not in {seconds} s: {what}"
            self.pass_time(STEP)
            passed += STEP

    def instances(self, deployment: str) -> list[str]:
        return [one.id for one in self.containers.alive(deployment=deployment)]

    def kill_instance(self, instance: str) -> None:
        self.containers.kill(instance)

    def die_between(self, subsystem: str, act: Callable[[], object], stored: Callable[[], bool]) -> None:
        """Its sending dies; then it is built anew on what is stored, as a fresh process is."""
        dying = self.platform.subsystems[subsystem].backbone

        def send(_: Any) -> None:
            raise Died

        dying.outbox._send = send
        try:
            act()
        except Died:
            pass
        self.platform.loops.pop(subsystem).close()
        assert stored(), "it died before it stored"
        self.parts.begin(subsystem)

    def stand_still_instance(self, instance: str) -> None:
        self.containers.hang(instance)

    def stand_still(self, part: str) -> None:
        self.parts.stand_still(part)

    def kill_leader(self) -> None:
        self.parts.kill_leader()

    @contextmanager
    def without(self, service: str) -> Iterator[None]:
        self.platform.take_away(service, "it was stopped")
        try:
            yield
        finally:
            self.platform.take_away(service, "")

    def let_pass(self, seconds: float) -> None:
        self.pass_time(seconds)

    def seconds(self) -> float:
        return self.platform.clock.monotonic()

    def sources(self, trace: str) -> set[str]:
        found = set()
        for topic in MESSAGE_TOPICS:
            for envelope in self.platform.bus.reader(topic).read_to_end():
                if envelope.correlation == trace:
                    found.add(envelope.source.split(".")[0])
        return found

    def lines_about(self, text: str) -> set[str]:
        said = (envelope for topic in MESSAGE_TOPICS for envelope in self.platform.bus.reader(topic).read_to_end())
        return {envelope.source.split(".")[0] for envelope in said if text in envelope.model_dump_json()}

    # -- how it is done ---------------------------------------------------------------------------------------------------

    def pass_time(self, seconds: float) -> None:
        passed = 0.0
        while passed < seconds:
            self.platform.advance(min(STEP, seconds - passed), STEP)
            self.parts.follow()
            passed += STEP

    def _agent(self, backbone: Any) -> Subsystem:
        gauge = MemoryGauge(backbone.clock, self.containers)
        return node_manager.subsystem_agent.build(backbone, MemoryProber(self.containers), MemoryHost(), gauge=gauge)

    @contextmanager
    def _enter(self, start: Start) -> Iterator[None]:
        token = start.secrets.get("berth_token", b"").decode()
        before = berth.transport._used
        berth.transport.set(PeersTransport(self.platform, token))
        try:
            yield
        finally:
            berth.transport.set(before)

    def _subsystem_token(self, name: str, pem: str) -> str:
        now = self.platform.clock.now()
        claims = Claims(name, "subsystem", self.platform.clock.new_id(), now + timedelta(days=1))
        return sign(claims, SigningKey(pem), "memory", now)
