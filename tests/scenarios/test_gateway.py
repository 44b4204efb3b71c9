"""Links follow instances: from the deployer's wish and the agents' eyes to what a visitor gets."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest

from backbone.backbone import Backbone
from backbone.containers import ServiceSpec
from backbone.containers.host import MemoryHost
from backbone.containers.memory import MemoryContainers
from backbone.containers.memory_images import Image
from backbone.memory import MemoryPlatform
from contracts.message import Message
from contracts.messages import BY_NAME, InstanceSeen, NodeSeen, RouteSeen, RouteWanted, TokenRevoked
from contracts.messages.deployment import Probe
from contracts.states import InstanceState
from contracts.topics import DEPLOYMENTS, NODES
from gateway.memory_front_door import MemoryFrontDoor
from gateway.subsystem import build as gateway
from node_manager.memory_probes import MemoryProber
from node_manager.subsystem import build as node_manager
from node_manager.subsystem_agent import build as agent
from tests.scenarios.memory_world import MemoryWorld

APP = b"""
import os
def respond(method, path):
    return (200, {}, f"generation {os.environ.get('G', '?')} {path}")
"""
SICK = b"def respond(method, path):\n    return (500, {}, 'oh')\n"
PATH = "/dora/comfort/"


class World:
    """The gateway, one agent and node_manager's api on twins; `wish` stands for the deployer."""

    def __init__(self) -> None:
        self.platform = MemoryPlatform({"BERTH_APPS_URL": "https://apps.example:8444"})
        self.containers = self.platform.containers = MemoryContainers(self.platform.clock)
        self.door, self.host = MemoryFrontDoor(self.containers), MemoryHost()
        self.deployer = self.platform.backbone("deployer")
        for name, code in (("well", APP), ("sick", SICK)):
            self.containers.images.registry[name] = Image({"app/app.py": code}, ("python", "app.py"))
        self.platform.add(node_manager, "node_manager", "api")
        self.start_gateway()
        self.platform.add(self._agent, "node_manager", "agent")

    def start_gateway(self) -> None:
        """Also in the place of one that has ended."""
        self.platform.add(lambda backbone: gateway(backbone, self.door), "gateway")

    def _agent(self, backbone: Backbone):  # type: ignore[no-untyped-def]
        return agent(backbone, MemoryProber(self.containers), self.host)

    def run(self, generation: int, instances: int = 1, image: str = "well", within: float = 20) -> None:
        labels = {"berth.installation": "memory", "berth.deployment": "d1", "berth.generation": str(generation), "berth.public": "1"}
        labels |= {"berth.service": "web", "berth.workspace": "dora", "berth.correlation": "c" * 32}
        labels |= {"berth.probe": Probe(path="/healthz", within=within).model_dump_json()}
        spec = ServiceSpec(f"d1-web-g{generation}", image, labels, ("python", "app.py"), instances, 8000)
        self.containers.services.make(spec)

    def wish(self, generation: int, **weights: int) -> None:
        numbers = {int(name[1:]): weight for name, weight in weights.items()}
        self.say([RouteWanted(deployment="d1", generation=generation, path=PATH, weights=numbers)])

    def say(self, messages: Sequence[Message]) -> None:
        self.platform.bus.send([(s.topic, s.key, s.envelope) for s in self.deployer.wrapper.wrap(messages, "c" * 32, "dora")])

    def heard(self, kind: type[Message]) -> list[Message]:
        topic = NODES if kind is NodeSeen else DEPLOYMENTS
        envelopes = self.platform.bus.reader(topic).read_to_end()
        return [BY_NAME[e.name].model_validate(e.body) for e in envelopes if e.name == kind.__name__]

    def addresses(self, generation: int) -> list[str]:
        return sorted(i.address for i in self.containers.alive(generation=str(generation)))

    def pass_(self, seconds: float) -> None:
        self.platform.advance(seconds, 0.2)


@pytest.fixture
def world() -> World:
    return World()


def test_a_wish_and_a_healthy_instance_make_a_link(world: World) -> None:
    world.wish(1, g1=100)
    world.pass_(0.4)
    assert world.door.answer(PATH).status == 503
    world.run(1, instances=2)
    world.pass_(1)
    assert world.door.routes() == {PATH: world.addresses(1)}
    assert world.door.answer(PATH + "now?x=1").body.endswith(b"/now?x=1")
    seen = world.heard(RouteSeen)[-1]
    assert isinstance(seen, RouteSeen)
    assert (seen.servers, seen.link) == ({1: 2}, "https://apps.example:8444" + PATH)


def test_nobody_leads_to_an_instance_that_is_not_healthy(world: World) -> None:
    world.run(1, image="sick", within=3)
    world.wish(1, g1=100)
    world.pass_(2)
    assert world.door.routes() == {PATH: []}
    world.pass_(2)
    states = [(i.state, i.reason) for i in world.heard(InstanceSeen) if isinstance(i, InstanceSeen)]
    assert (InstanceState.UNHEALTHY, "not healthy within 3 s: GET /healthz answered 500") in states


def test_old_and_new_generation_change_places_without_a_gap(world: World) -> None:
    world.run(1)
    world.wish(1, g1=100)
    world.pass_(1)
    world.run(2)
    world.wish(2, g1=100, g2=0)
    world.pass_(1)
    assert world.door.routes() == {PATH: world.addresses(1)}
    world.wish(2, g2=100)
    world.pass_(0.2)
    assert world.door.routes() == {PATH: world.addresses(2)}
    seen = world.heard(RouteSeen)[-1]
    assert isinstance(seen, RouteSeen) and (seen.generation, seen.servers) == (2, {2: 1})


def test_a_crashed_instance_leaves_at_once_and_its_successor_comes(world: World) -> None:
    world.run(1, instances=2)
    world.wish(1, g1=100)
    world.pass_(1)
    dead = world.containers.alive(generation="1")[0]
    world.containers.kill(dead.id)
    world.pass_(0.4)
    assert dead.address not in world.door.routes()[PATH]
    world.pass_(1.6)
    assert world.door.routes() == {PATH: world.addresses(1)} and len(world.addresses(1)) == 2


def test_a_hung_instance_is_killed_and_replaced(world: World) -> None:
    world.run(1)
    world.wish(1, g1=100)
    world.pass_(1)
    hung = world.containers.alive(generation="1")[0]
    world.containers.hang(hung.id)
    world.pass_(6)
    assert world.containers.instances[hung.id].ended
    assert world.door.answer(PATH).status == 200


def test_a_gateway_that_comes_back_cuts_nothing_and_catches_up(world: World) -> None:
    world.run(1)
    world.wish(1, g1=100)
    world.pass_(1)
    world.platform.loops.pop("gateway").close()
    world.run(2)
    world.wish(2, g2=100)
    world.pass_(1)
    assert world.door.answer(PATH).status == 200 and world.door.routes() == {PATH: world.addresses(1)}
    world.start_gateway()
    world.pass_(0.4)
    assert world.door.routes() == {PATH: world.addresses(2)}


def test_what_haproxy_lost_is_put_back(world: World) -> None:
    world.run(1)
    world.wish(1, g1=100)
    world.pass_(1)
    world.door.put("/stray/route/", [])
    world.door.drop(PATH)
    world.pass_(6)
    assert world.door.routes() == {PATH: world.addresses(1)}


def test_while_haproxy_is_away_nothing_is_lost_and_the_gateway_says_that_it_is_not_ready(world: World) -> None:
    world.pass_(0.4)
    subsystem = world.platform.subsystems["gateway"]
    assert subsystem.ready() == []
    world.door.away = True
    world.run(1)
    world.wish(1, g1=100)
    world.pass_(2)
    assert subsystem.ready() == ["HAProxy is away."]
    assert world.heard(RouteSeen) == []
    world.door.away = False
    world.pass_(0.4)
    assert subsystem.ready() == [] and world.door.answer(PATH).status == 200


def test_a_link_that_is_no_longer_wanted_answers_404_and_is_said_so(world: World) -> None:
    world.run(1)
    world.wish(1, g1=100)
    world.pass_(1)
    world.wish(2)
    world.pass_(0.4)
    assert world.door.answer(PATH).status == 404
    seen = world.heard(RouteSeen)[-1]
    assert isinstance(seen, RouteSeen) and (seen.generation, seen.servers, seen.link) == (2, {}, "")


def test_a_link_given_again_belongs_to_the_newer_deployment(world: World) -> None:
    world.run(1)
    world.wish(1, g1=100)
    world.pass_(1)
    world.say([RouteWanted(deployment="d2", generation=1, path=PATH, weights={1: 100})])
    news = {"deployment": "d2", "generation": 1, "service": "web", "instance": "i9", "incarnation": "1", "node": "n"}
    world.say([InstanceSeen.model_validate(news | {"address": "10.0.0.9:30009", "state": 200, "public": True})])
    world.pass_(0.4)
    assert world.door.routes() == {PATH: ["10.0.0.9:30009"]}
    world.wish(2)
    world.pass_(11)
    assert world.door.routes() == {PATH: ["10.0.0.9:30009"]}
    world.say([RouteWanted(deployment="d2", generation=2, path=PATH, weights={})])
    world.pass_(0.4)
    assert world.door.routes() == {}


def test_the_same_wish_again_is_said_to_be_seen_again(world: World) -> None:
    world.run(1)
    world.wish(1, g1=100)
    world.pass_(1)
    before = len(world.heard(RouteSeen))
    world.wish(1, g1=100)
    world.pass_(0.4)
    assert len(world.heard(RouteSeen)) == before + 1


def test_a_revoked_token_is_refused_within_a_second_and_forgotten_when_it_has_ended(world: World) -> None:
    world.pass_(0.4)
    world.say([TokenRevoked(jti="t1", expires=world.platform.clock.now() + timedelta(seconds=60))])
    world.pass_(1)
    assert list(world.door.revoked) == ["t1"]
    world.pass_(60)
    assert world.door.revoked == {}


def test_the_node_and_its_firewall_are_said_and_the_node_is_labelled(world: World) -> None:
    world.pass_(1)
    seen = world.heard(NodeSeen)[-1]
    assert isinstance(seen, NodeSeen) and seen.firewall and seen.name == "vm1"
    assert world.host.labels == {"memory.apps": "1"}


def test_nodes_and_instances_are_shown_to_those_who_may_see_them() -> None:
    world = MemoryWorld()
    world.pass_time(1)
    said = {"deployment": "d1", "generation": 1, "service": "web", "incarnation": "1", "node": "node1", "address": "10.0.0.1:30001"}
    wrapper, bus = world.platform.subsystems["node_manager.agent"].backbone.wrapper, world.platform.bus
    for instance, workspace, state in (("i1", "dora", 200), ("i2", "uma", 100), ("i2", "uma", 900), ("i2", "uma", 200)):
        news = InstanceSeen.model_validate(said | {"instance": instance, "state": state, "reason": "exit code 1" if state == 900 else ""})
        bus.send([(s.topic, s.key, s.envelope) for s in wrapper.wrap([news], "c" * 32, workspace)])
    world.pass_time(1)
    dora, otto = world.login("developer"), world.login("operator")
    nodes = world.ask("GET", "/nodes", otto).ok(200)["items"]
    assert [(n["name"], n["firewall"], n["heard"]) for n in nodes] == [("vm1", True, True)]
    assert world.ask("GET", "/nodes", dora).status == 403
    shown = world.ask("GET", "/instances?deployment=d1", otto).ok(200)["items"]
    assert [(i["instance"], i["state_name"], i["reason"]) for i in shown] == [("i1", "HEALTHY", ""), ("i2", "GONE", "exit code 1")]
    assert [i["id"] for i in world.ask("GET", "/instances", dora).ok(200)["items"]] == ["i1"]
    assert [i["id"] for i in world.ask("GET", "/instances?deployment=d1", dora).ok(200)["items"]] == ["i1"]
    first = world.ask("GET", "/instances?limit=1", otto).ok(200)
    assert [i["id"] for i in world.ask("GET", f"/instances?limit=1&next={first['next']}", otto).ok(200)["items"]] == ["i2"]
    world.platform.advance(700, 60)
    assert [i["id"] for i in world.ask("GET", "/instances", world.login("operator")).ok(200)["items"]] == ["i1"]


def test_an_instance_that_ended_while_no_agent_looked_is_said_to_be_gone() -> None:
    world = MemoryWorld()
    said = {"deployment": "d1", "generation": 1, "service": "web", "incarnation": "1", "node": "node1", "address": "10.0.0.1:30001"}
    news = InstanceSeen.model_validate(said | {"instance": "lost", "state": 200})
    wrapper = world.platform.subsystems["node_manager.agent"].backbone.wrapper
    world.platform.bus.send([(s.topic, s.key, s.envelope) for s in wrapper.wrap([news], "c" * 32, "dora")])
    world.pass_time(1)
    world.platform.loops.pop("node_manager.agent").close()
    world.platform.add(world._agent, "node_manager", "agent")
    world.pass_time(11)
    shown = world.ask("GET", "/instances?node=node1", world.login("operator")).ok(200)["items"]
    assert [(i["id"], i["state_name"]) for i in shown] == [("lost", "GONE")]
    assert shown[0]["workspace"] == "dora" and "does not find it" in shown[0]["reason"]
