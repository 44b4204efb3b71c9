"""The agent on a real Swarm: how long from a crash, or from hanging, until a healthy successor is said."""

from __future__ import annotations

import hashlib
import json
import threading
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from backbone.clock import SystemClock
from backbone.containers import ServiceSpec
from backbone.containers.engine import Engine
from backbone.containers.engine_connection import Connection
from backbone.settings import Settings
from contracts.messages import InstanceSeen
from contracts.messages.deployment import Probe
from contracts.states import InstanceState
from node_manager.agent import Agent
from node_manager.probes import NetProber
from node_manager.subsystem_agent import Watcher
from tests.support.front_door import docker, newest, until
from tests.support.ranges import free_ranges

pytestmark = pytest.mark.real
SLOWEST = 20
"""Seconds on a machine that does much else; how fast it is, benchmarks say."""
APP = """
import os, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
hung = False
class H(BaseHTTPRequestHandler):
    def do_GET(self):
        global hung
        if self.path == '/crash': os._exit(3)
        if self.path == '/hang': hung = True
        while hung: time.sleep(1)
        self.send_response(500 if self.path == '/sick' else 200); self.send_header('content-length', '0'); self.end_headers()
    def log_message(self, *a): pass
ThreadingHTTPServer(('', 8000), H).serve_forever()
"""


@dataclass
class World:
    """A service of one instance on this Swarm, and an agent in this process that watches it."""

    name: str
    engine: Engine
    said: list[tuple[float, InstanceSeen]] = field(default_factory=list)
    clock: SystemClock = field(default_factory=SystemClock)

    def say(self, news: InstanceSeen, correlation: str, workspace: str) -> None:
        self.said.append((self.clock.monotonic(), news))

    def healthy(self, besides: str = "") -> tuple[float, InstanceSeen]:
        """When and what of the first healthy instance that is not `besides`."""

        def look() -> tuple[float, InstanceSeen] | None:
            return next(((t, n) for t, n in self.said if n.state == InstanceState.HEALTHY and n.instance != besides), None)

        found: tuple[float, InstanceSeen] = until(look, 60)
        return found

    def ask(self, news: InstanceSeen, path: str) -> None:
        try:
            urllib.request.urlopen(f"http://{news.address}{path}", timeout=0.3).close()
        except OSError:
            pass

    def states(self, instance: str) -> list[int]:
        return [n.state for _, n in self.said if n.instance == instance]


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    newest("berth/runtime-python")
    if docker("info", "-f", "{{.Swarm.ControlAvailable}}") != "true":
        pytest.skip("no Swarm here: run `./berth up` once")
    image = json.loads(docker("image", "inspect", newest("berth/runtime-python")))[0]["RepoDigests"][0]
    name = f"gate-test-{SystemClock().new_id()[-6:]}"
    mark = hashlib.sha1(name.encode()).hexdigest()[:4]
    engine = Engine(Connection(Settings({})))
    world = World(name, engine)
    watcher = Watcher(engine.node)
    agent = Agent(engine.node, name, NetProber(watcher.wake), world.clock, world.say)

    class Work:
        def round(self, changed: bool = True) -> float:
            return agent.step(changed)

    try:
        options = ("-o", f"com.docker.network.bridge.name=ba{mark}-plat", "-o", "com.docker.network.bridge.enable_icc=false")
        docker("network", "create", "--config-only", "--subnet", free_ranges(1)[0], *options, f"{name}-node")
        docker("network", "create", "-d", "bridge", "--scope", "swarm", "--config-from", f"{name}-node", f"{name}-plat")
        threading.Thread(target=watcher.run, args=(Work(),), daemon=True).start()
        labels = {"berth.installation": name, "berth.deployment": "d", "berth.generation": "1", "berth.service": "web"}
        labels |= {"berth.public": "1", "berth.probe": Probe(path="/healthz", within=20).model_dump_json()}
        engine.services.make(ServiceSpec(f"{name}-web", image, labels, ("python3", "-c", APP), 1, 8000, networks=(f"{name}-plat",)))
        yield world
    finally:
        watcher.close()
        docker("service", "rm", f"{name}-web", check=False)
        until(lambda: not docker("ps", "-q", "-f", f"label=berth.installation={name}"), 30)
        for network in (f"{name}-plat", f"{name}-node"):
            until(lambda n=network: not docker("network", "rm", n, check=False) or True, 20)


def test_a_crashed_instance_has_a_healthy_successor_in_a_moment(world: World) -> None:
    times = []
    _, now = world.healthy()
    for _ in range(8):
        world.said.clear()
        begun = world.clock.monotonic()
        world.ask(now, "/crash")
        at, after = world.healthy(besides=now.instance)
        moments = {(n.instance, n.state): round(t - begun, 2) for t, n in world.said}
        gone, seen = moments[now.instance, InstanceState.GONE], moments[after.instance, InstanceState.STARTING]
        times.append((gone, seen, round(at - begun, 2)))
        now = after
    print("seconds from crash to (gone said, successor seen, successor healthy):", times)
    assert max(healthy for _, _, healthy in times) < SLOWEST


def test_a_hung_instance_is_killed_and_replaced(world: World) -> None:
    world.said.clear()
    now = InstanceSeen.model_validate(newest_healthy(world))
    begun = world.clock.monotonic()
    world.ask(now, "/hang")
    at, _ = world.healthy(besides=now.instance)
    print("seconds from hanging to a healthy successor:", round(at - begun, 2))
    assert world.states(now.instance) == [InstanceState.UNHEALTHY, InstanceState.GONE]
    assert at - begun < SLOWEST


def newest_healthy(world: World) -> InstanceSeen:
    """As the running container says."""
    one = next(c for c in world.engine.node.local({"berth.installation": world.name}) if c.state == "running")
    facts = {"deployment": "d", "generation": 1, "service": "web", "instance": one.id, "incarnation": one.incarnation, "node": "n"}
    return InstanceSeen.model_validate(facts | {"address": one.address, "state": InstanceState.HEALTHY})
