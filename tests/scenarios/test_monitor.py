"""Stories of the monitor in two replicas, of the agent that obeys it, and of parts that die, hang, stop and are merely slow."""

from __future__ import annotations

from typing import Any

import pytest

import node_manager.subsystem_agent
from backbone.containers import ServiceSpec
from backbone.containers.host import MemoryHost
from backbone.containers.memory import MemoryContainers
from backbone.containers.memory_images import Image
from backbone.subsystem import Subsystem
from contracts.messages import BY_NAME, Message, ReplaceReplica, ReplicaReplaced, ReplicaSpared
from contracts.topics import INCIDENTS, NODES
from monitor.subsystem import build
from node_manager.memory_probes import MemoryProber
from tests.support.tokens import platform_with_key, token_for

PARTS = ("identity", "deployer", "gateway", "app_controller", "platform_ui")
NO_ANSWER = "GET /live: no answer within 1 s"


class House:
    """Each container of the twin that is one of the platform's parts has a beating loop here, named by its task's id."""

    def __init__(self) -> None:
        self.platform, self.backbone = platform_with_key()
        p = self.platform
        self.containers = p.containers = MemoryContainers(p.clock)
        self.containers.images.local["platform"] = Image({"app/main.py": b""}, ("python", "main.py"))
        self.hung: set[str] = set()
        self.parts: dict[str, Subsystem] = {}
        p.add(self._agent, "node_manager", "agent")
        self.monitors = {name: self._monitor(name) for name in ("monitor-1", "monitor-2")}
        for name in PARTS:
            labels = {"berth.installation": p.settings["BERTH_INSTALLATION"], "berth.subsystem": name}
            spec = ServiceSpec(f"memory-{name}", "platform", labels, networks=(p.settings["BERTH_INSTALLATION"],))
            self.containers.services.make(spec)
        self.incidents = p.bus.reader(INCIDENTS)
        self.orders = p.bus.reader(NODES)
        self.pass_time(5)
        self.orders.read_to_end()

    def _agent(self, backbone: Any) -> Subsystem:
        return node_manager.subsystem_agent.build(backbone, MemoryProber(self.containers), MemoryHost(), ask=self._live)

    def _live(self, address: str) -> str:
        return NO_ANSWER if address.split(".")[0] in self.hung else ""

    def _monitor(self, name: str) -> Subsystem:
        monitor = build(self.platform.backbone("monitor"))
        self.platform.loops[name] = monitor.begin()
        self.platform.peers.attach("monitor", monitor.app())
        return monitor

    def pass_time(self, seconds: float) -> None:
        for _ in range(int(seconds * 4)):
            self._follow_docker()
            self.platform.advance(0.25, 0.25)

    def _follow_docker(self) -> None:
        self.containers.mend()
        alive = {i.id: i for i in self.containers.alive(subsystem="")}
        for id in self.parts.keys() - alive.keys():
            self.parts.pop(id)
            self.platform.loops.pop(id, None)
        for id in alive.keys() - self.parts.keys():
            self._start(id, alive[id].spec.labels["berth.subsystem"])

    def _start(self, id: str, name: str) -> None:
        backbone = self.platform.backbone(name)
        backbone.replica, backbone.node = id, "node1"
        self.parts[id] = Subsystem(backbone, checks_tokens=False)
        self.platform.loops[id] = self.parts[id].begin()

    def replica(self, name: str) -> str:
        (one,) = self.containers.alive(subsystem=name)
        return one.id

    def silence(self, *replicas: str, live: bool = False) -> None:
        """They beat no more; `live`: and answer still."""
        for id in replicas:
            self.platform.loops.pop(id)
            self.hung |= set() if live else {id}

    def wake(self, replica: str) -> None:
        self.platform.loops[replica] = self.parts[replica].loop()

    def kill_leader(self) -> None:
        fences = {name: monitor.ticks[1].call.__self__._fence for name, monitor in self.monitors.items()}  # type: ignore[attr-defined]
        leader = max(fences, key=lambda name: fences[name])
        self.platform.loops.pop(leader)

    def said(self) -> list[Message]:
        """Orders and what became of them, since this was last asked."""
        found = [BY_NAME[e.name].model_validate(e.body) for e in self.orders.read_to_end() if e.name.startswith("Repl")]
        return found

    def listed(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.ask("GET", "/incidents", "operator").json["items"]
        return found

    def ask(self, method: str, path: str, role: str) -> Any:
        got = self.platform.peers.ask(method, path, b"", token_for(self.backbone, roles=(role,)), {})
        self.platform.settle()
        return got


@pytest.fixture
def house() -> House:
    return House()


def texts(incident: dict[str, Any]) -> list[str]:
    return [line["text"] for line in incident["timeline"]]


def test_one_that_hangs_is_replaced_and_believed_by_its_successors_heartbeat(house: House) -> None:
    hung = house.replica("deployer")
    house.silence(hung)
    house.pass_time(2.5)
    assert house.listed() == [] and house.said() == []
    house.pass_time(5)
    (incident,) = house.listed()
    assert (incident["state"], incident["outcome"], incident["subsystem"], incident["attempts"]) == ("closed", "replaced", "deployer", 1)
    assert incident["successor"] == house.replica("deployer") != hung
    assert [t.split(":")[0] for t in texts(incident)] == [
        "its last heartbeat", f"no heartbeat of replica {hung} for {incident['timeline'][1]['since_before']:.1f} s", "attempt 1",
        "attempt 1", "a new heartbeat",
    ]  # fmt: skip
    assert NO_ANSWER in texts(incident)[3] and 3 <= incident["timeline"][1]["since_before"] < 4 and incident["seconds"] < 6
    order, done = house.said()
    assert isinstance(order, ReplaceReplica) and isinstance(done, ReplicaReplaced) and done.reason == NO_ANSWER
    names = [e.name for e in house.incidents.read_to_end()]
    assert names == ["IncidentOpened", "IncidentMoved", "IncidentMoved", "IncidentClosed"]
    assert hung not in house.ask("GET", "/subsystems", "operator").body.decode(), "also where the other replica is asked"
    found = {s["subsystem"]: s for s in house.ask("GET", "/subsystems", "operator").json["items"]}
    assert (found["deployer"]["restarts"], found["deployer"]["incident"]) == (1, incident["id"]) and found["gateway"]["restarts"] == 0


def test_one_that_crashes_is_restarted_by_swarm_and_written_down_without_an_order(house: House) -> None:
    house.pass_time(0.5)  # its last heartbeat and its successor's first are not heard at the same moment
    house.containers.kill(house.replica("gateway"))
    house.pass_time(6)
    (incident,) = house.listed()
    assert incident["outcome"] == "replaced" and incident["attempts"] == 0 and house.said() == []


def test_a_busy_machine_kills_nothing(house: House) -> None:
    slow = house.replica("deployer")
    house.silence(slow, live=True)
    house.pass_time(9)
    (incident,) = house.listed()
    assert incident["state"] == "open" and any("left alone: it answered" in t for t in texts(incident))
    house.wake(slow)
    house.pass_time(2)
    (incident,) = house.listed()
    assert incident["outcome"] == "recovered" and house.replica("deployer") == slow
    assert not [m for m in house.said() if isinstance(m, ReplicaReplaced)]


def test_one_whose_loop_hangs_while_it_answers_is_replaced_once_live_says_so(house: House) -> None:
    hung = house.replica("deployer")
    house.silence(hung, live=True)
    house.pass_time(15)
    assert house.replica("deployer") == hung
    house.hung.add(hung)
    house.pass_time(10)
    (incident,) = house.listed()
    assert incident["outcome"] == "replaced" and incident["attempts"] == 3 and house.replica("deployer") != hung


def test_all_silent_at_once_means_the_bus_and_nobody_is_replaced(house: House) -> None:
    before = {name: house.replica(name) for name in PARTS}
    house.silence(*before.values())
    house.pass_time(30)
    (incident,) = house.listed()
    assert incident["kind"] == "silence" and incident["state"] == "open" and incident["title"].startswith("5 of ")
    assert house.said() == [] and {name: house.replica(name) for name in PARTS} == before
    for id in before.values():
        house.wake(id)
    house.pass_time(3)
    (incident,) = house.listed()
    assert incident["outcome"] == "over"


def test_a_stop_that_was_ordered_is_no_incident(house: House) -> None:
    stopping = house.replica("identity")
    live = house.parts[stopping].live
    assert live is not None
    live.close()
    house.pass_time(1.25)
    house.containers.services.remove("memory-identity")
    house.pass_time(70)
    assert house.listed() == [] and house.said() == []


def test_it_backs_off_and_never_gives_up(house: House) -> None:
    """The node's agent is away: nobody obeys."""
    house.platform.loops.pop("node_manager.agent")
    house.silence(house.replica("deployer"))
    house.pass_time(150)
    mine = next(i for i in house.listed() if i["subsystem"] == "deployer")
    at = [line["since_before"] for line in mine["timeline"] if line["text"].startswith("attempt")]
    assert mine["state"] == "open" and mine["attempts"] >= 5
    assert [round(seconds) for seconds in at[1:5]] == [5, 10, 20, 40]
    got = house.ask("POST", f"/incidents/{mine['id']}/acknowledge", "operator")
    assert got.status == 200 and got.json["state"] == "open" and texts(got.json)[-1].endswith("has seen it")


def test_the_leader_dies_and_the_other_one_acts_under_a_newer_number(house: House) -> None:
    house.silence(house.replica("deployer"))
    house.pass_time(6)
    old = next(m for m in house.said() if isinstance(m, ReplaceReplica))
    house.kill_leader()
    hung = house.replica("gateway")
    house.silence(hung)
    house.pass_time(8)
    new = next(m for m in house.said() if isinstance(m, ReplaceReplica) and m.subsystem == "gateway")
    assert new.fence > old.fence and house.replica("gateway") != hung
    late = old.model_copy(update={"replica": house.replica("identity"), "ordered": True})
    wrapped = house.backbone.wrapper.wrap([late])
    house.platform.bus.send([(s.topic, s.key, s.envelope) for s in wrapped])
    before = house.replica("identity")
    house.pass_time(1)
    refused = next(m for m in house.said() if isinstance(m, ReplicaSpared))
    assert "not the leader any more" in refused.reason and house.replica("identity") == before


def test_a_person_orders_a_restart(house: House) -> None:
    house.silence(house.replica("identity"))
    house.pass_time(8)
    before = house.replica("identity")
    assert house.ask("POST", f"/subsystems/{before}/restart", "developer").status == 403
    assert house.ask("POST", "/subsystems/nobody/restart", "operator").status == 404
    got = house.ask("POST", f"/subsystems/{before}/restart", "operator")
    assert got.status == 202 and got.json["kind"] == "restart" and got.json["state"] == "open"
    assert house.ask("POST", f"/subsystems/{before}/restart", "operator").status == 409
    house.pass_time(3.5)
    incident = house.listed()[0]
    assert incident["kind"] == "restart" and incident["outcome"] == "replaced", "a person does not wait for the pauses"
    assert house.replica("identity") == incident["successor"] != before
    house.pass_time(10)
    assert len(house.listed()) == 2
