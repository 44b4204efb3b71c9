"""The agent: when an instance counts as healthy, late, hung or gone, and what is said of it."""

from __future__ import annotations

from backbone.clock import ManualClock
from backbone.containers import Local, Machine
from contracts.messages import InstanceSeen
from contracts.messages.deployment import Probe
from contracts.states import InstanceState
from node_manager import watching
from node_manager.agent import Agent
from node_manager.probes import Result, judged

PROBE = Probe(path="/healthz", within=20)
STARTING, HEALTHY, UNHEALTHY, GONE = InstanceState


class Node:
    """A node whose containers a test sets."""

    def __init__(self) -> None:
        self.containers: dict[str, Local] = {}
        self.killed: list[str] = []

    def run(self, name: str, state: str = "running", probe: Probe = PROBE, code: int = 0, public: str = "1") -> None:
        labels = {"berth.deployment": "d", "berth.generation": "3", "berth.service": "web", "berth.public": public}
        labels |= {"berth.probe": probe.model_dump_json(), "berth.workspace": "dora", "berth.correlation": "c" * 32}
        reason = f"exit code {code}" if state == "exited" else ""
        self.containers[name] = Local(name, f"c-{name}", "s", labels, state, "1", f"10.0.0.9:{30000 + len(name)}", code, reason)

    def machine(self) -> Machine:
        return Machine("node1", "vm1", "10.0.0.9", 2, 1 << 30)

    def local(self, labels: object) -> list[Local]:
        return list(self.containers.values())

    def running(self, labels: object) -> list[Local]:
        return [one for one in self.containers.values() if one.state == "running"]

    def wait(self, seconds: float) -> bool:
        return False

    def kill(self, container: str) -> None:
        self.killed.append(container)

    def lines(self, container: str, most: int) -> list[str]:
        return []


class Prober:
    """Answers what a test sets: "" is well, None is nothing yet."""

    def __init__(self) -> None:
        self.answers: str | None = ""
        self.asked: list[str] = []
        self._done: list[Result] = []

    def ask(self, key: str, address: str, probe: Probe, patience: float) -> None:
        self.asked.append(address)
        if self.answers is not None:
            self._done.append(Result(key, self.answers))

    def results(self) -> list[Result]:
        done, self._done = self._done, []
        return done


class World:
    def __init__(self, address: str = "") -> None:
        self.node, self.prober, self.clock = Node(), Prober(), ManualClock()
        self.said: list[InstanceSeen] = []
        self.agent = Agent(self.node, "berth", self.prober, self.clock, lambda news, c, w: self.said.append(news), address)

    def pass_(self, seconds: float, step: float = 0.1) -> None:
        self.agent.step()
        for _ in range(round(seconds / step)):
            self.clock.advance(step)
            self.agent.step()

    @property
    def states(self) -> list[tuple[str, int]]:
        return [(s.instance, s.state) for s in self.said]


def test_an_instance_is_said_when_it_runs_and_when_it_is_healthy() -> None:
    world = World()
    world.node.run("a")
    world.pass_(0.2)
    assert world.states == [("a", STARTING), ("a", HEALTHY)]
    assert world.said[-1].address == "10.0.0.9:30001"
    assert (world.said[-1].generation, world.said[-1].node, world.said[-1].public) == (3, "node1", True)


def test_it_is_asked_often_while_it_starts_and_each_second_afterwards() -> None:
    world = World()
    world.prober.answers = "no connection"
    world.node.run("a")
    world.pass_(2.0)
    eager = len(world.prober.asked)
    world.prober.answers = ""
    world.pass_(5.0)
    assert 15 <= eager <= 21
    assert 4 <= len(world.prober.asked) - eager <= 7


def test_one_that_never_becomes_healthy_is_said_in_time_with_the_reason_and_then_ended() -> None:
    world = World()
    world.prober.answers = "GET /healthz answered 500"
    world.node.run("a", probe=Probe(path="/healthz", within=3))
    world.pass_(3.3)
    assert world.states[-1] == ("a", UNHEALTHY)
    assert world.said[-1].reason == "not healthy within 3 s: GET /healthz answered 500"
    assert world.node.killed == []
    world.pass_(5.5)
    assert world.node.killed == ["c-a"]


def test_three_failures_in_a_row_kill_what_was_healthy() -> None:
    world = World()
    world.node.run("a")
    world.pass_(1.0)
    world.prober.answers = "no answer within 1 s"
    world.pass_(3.5)
    assert world.node.killed == ["c-a"]
    assert world.states[-1] == ("a", UNHEALTHY)
    assert "hung" in world.said[-1].reason


def test_two_failures_are_forgiven() -> None:
    watch = watching.answered(watching.begin(PROBE, 0), "", 0, 0)
    for problem in ("slow", "slow", "", "slow", "slow", ""):
        watch = watching.answered(watch, problem, 1, 1)
    assert (watch.state, watch.failures, watch.kill_at) == (HEALTHY, 0, None)


def test_an_instance_that_ends_is_gone_with_its_exit_code() -> None:
    world = World()
    world.node.run("a")
    world.pass_(0.2)
    world.node.run("a", "exited", code=137)
    world.agent.step()
    assert world.states[-1] == ("a", GONE)
    assert world.said[-1].reason == "exit code 137"
    world.pass_(1)
    assert world.states[-1] == ("a", GONE) and len(world.said) == 3


def test_what_is_no_longer_there_is_gone_too() -> None:
    world = World()
    world.node.run("a")
    world.pass_(0.2)
    world.node.containers.clear()
    world.agent.step()
    assert (world.said[-1].state, world.said[-1].reason) == (GONE, "removed")


def test_an_answer_that_comes_after_the_end_counts_for_nothing() -> None:
    world = World()
    world.prober.answers = None
    world.node.run("a")
    world.agent.step()
    world.node.run("a", "exited", code=1)
    world.agent.step()
    world.prober._done.append(Result("c-a/1", ""))
    world.agent.step()
    assert world.states == [("a", STARTING), ("a", GONE)]


def test_a_service_without_a_port_is_healthy_once_it_has_run_a_moment() -> None:
    world = World()
    world.node.run("a", probe=Probe(), public="0")
    world.pass_(0.3)
    assert world.states == [("a", STARTING)]
    world.pass_(0.5)
    assert world.states == [("a", STARTING), ("a", HEALTHY)]
    assert world.prober.asked == []


def test_the_nodes_address_of_the_settings_stands_for_dockers() -> None:
    world = World("192.0.2.7")
    world.node.run("a")
    world.pass_(0.2)
    assert world.prober.asked[0] == world.said[-1].address == "192.0.2.7:30001"


def test_what_lives_is_said_again_when_asked() -> None:
    world = World()
    world.node.run("a")
    world.pass_(0.2)
    world.agent.repeat()
    assert world.states[-2:] == [("a", HEALTHY), ("a", HEALTHY)]


def test_answers_are_judged_by_their_first_line() -> None:
    assert judged("/", b"HTTP/1.1 204 No Content\r\n") == ""
    assert judged("/", b"HTTP/1.0 302 Found\r\n") == ""
    assert "500" in judged("/", b"HTTP/1.1 500 Oh\r\n")
    assert "closed" in judged("/", b"")
    assert "not HTTP" in judged("/", b"SSH-2.0-OpenSSH\r\n")
