"""What the agent makes of an order to replace one of the platform's own replicas."""

from __future__ import annotations

import pytest

from backbone.containers import ServiceSpec
from backbone.containers.memory import MemoryContainers
from backbone.containers.memory_images import Image
from backbone.memory import MemoryPlatform
from contracts.messages import BY_NAME, Message, ReplaceReplica, ReplicaEnded, ReplicaReplaced, ReplicaSpared
from contracts.topics import NODES
from node_manager.replacing import Replacing

LABELS = {"berth.installation": "memory", "berth.subsystem": "identity"}


class Node:
    """One replica on one node, and the agent's part under test."""

    def __init__(self) -> None:
        self.platform = MemoryPlatform()
        self.containers = MemoryContainers(self.platform.clock)
        self.containers.images.local["platform"] = Image({"app/main.py": b""}, ("python", "main.py"))
        self.containers.services.make(ServiceSpec("memory-identity", "platform", LABELS, networks=("memory",)))
        (self.replica,) = self.containers.instances
        self.problem, self.busy, self.asked = "", 0.0, list[str]()
        self.backbone = self.platform.backbone("node_manager", "agent")
        self.replacing = Replacing(self.backbone, self.containers.node, self.ask)
        self.replacing.step(0)
        self.reader = self.platform.bus.reader(NODES)

    def ask(self, address: str) -> str:
        self.asked.append(address)
        self.platform.clock.advance(self.busy)
        return self.problem

    def order(self, attempt: int = 1, fence: int = 1, ordered: bool = False, node: str = "node1") -> list[Message]:
        order = ReplaceReplica(
            replica=self.replica, incarnation="i1", subsystem="identity", node=node, incident="x", attempt=attempt, fence=fence,
            reason="silent", ordered=ordered,
        )  # fmt: skip
        self.platform.bus.send([(s.topic, s.key, s.envelope) for s in self.backbone.wrapper.wrap([order])])
        self.replacing.step(0)
        return [BY_NAME[e.name].model_validate(e.body) for e in self.reader.read_to_end() if e.name != "ReplaceReplica"]

    @property
    def alive(self) -> bool:
        return self.containers.instances[self.replica].ended is None


@pytest.fixture
def node() -> Node:
    return Node()


def test_one_that_answers_is_left_alone(node: Node) -> None:
    (said,) = node.order()
    assert isinstance(said, ReplicaSpared) and said.reason == "it answered GET /live" and node.alive
    assert node.asked == [f"{node.replica}.memory:8000"]


def test_one_that_does_not_answer_is_killed_once(node: Node) -> None:
    node.problem = "GET /live: no answer within 1 s"
    (said,) = node.order()
    assert isinstance(said, ReplicaReplaced) and said.reason == node.problem and not node.alive
    (again,) = node.order(attempt=2)
    assert isinstance(again, ReplicaReplaced) and again.reason == f"{node.problem}; that was done before" and len(node.asked) == 1


def test_where_the_asker_itself_was_kept_waiting_nothing_is_proven(node: Node) -> None:
    node.problem, node.busy = "GET /live: no answer within 1 s", 2.0
    (said,) = node.order()
    assert isinstance(said, ReplicaSpared) and "too busy" in said.reason and node.alive


def test_what_a_person_ordered_is_done_without_asking(node: Node) -> None:
    (said,) = node.order(ordered=True)
    assert isinstance(said, ReplicaReplaced) and not node.alive and not node.asked


def test_an_old_leaders_order_is_refused(node: Node) -> None:
    node.problem = "no answer"
    node.order(fence=4, node="node1", ordered=False)
    node.containers.instances[node.replica].ended = None
    (said,) = node.order(fence=3)
    assert isinstance(said, ReplicaSpared) and "lease number 3" in said.reason and node.alive


def test_another_nodes_order_is_not_its_business(node: Node) -> None:
    node.problem = "no answer"
    assert node.order(node="node2") == [] and node.alive


@pytest.mark.parametrize(("code", "stopped"), [(0, True), (137, False)])
def test_one_that_ended_by_itself_is_said_to_have_ended(node: Node, code: int, stopped: bool) -> None:
    node.containers.end(node.containers.instances[node.replica], code, f"exit code {code}")
    (said,) = node.order()
    assert isinstance(said, ReplicaEnded) and said.stopped is stopped and said.reason == f"exit code {code}"


def test_one_that_is_not_here_any_more_has_ended(node: Node) -> None:
    del node.containers.instances[node.replica]
    (said,) = node.order()
    assert isinstance(said, ReplicaEnded) and not said.stopped


