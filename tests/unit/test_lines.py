"""The agent's carrying of lines: in order, once, over its own death, Kafka's absence and rotations; nobody starves."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from backbone.bus.memory_log import MemoryLog
from backbone.bus.memory_records import MemoryRecords
from backbone.clock import ManualClock
from contracts.errors import Unavailable
from contracts.lines import Line
from contracts.topics import LINES, Topic
from node_manager import lines
from node_manager.lines import Shipper
from node_manager.lines_marks import Marks
from tests.support.printed import FolderPrinted

APP = {
    "berth.installation": "i", "berth.deployment": "d1", "berth.service": "web", "berth.workspace": "dora", "berth.app": "a1",
    "berth.generation": "3", "berth.release": "r1",
}  # fmt: skip
PART = {"berth.installation": "i", "berth.subsystem": "sensor-manager-intake", "berth.source": "sensor_manager.intake"}


class Failing(MemoryRecords):
    """Kafka as it is when it is away: it takes records, and says later that it could not keep them. `takes`: so many at most."""

    def __init__(self, clock: ManualClock, log: MemoryLog) -> None:
        super().__init__(clock, log)
        self.away, self.takes = False, 10**9

    def send(self, topic: Topic, key: bytes, value: bytes, done: Callable[[Exception | None], None]) -> None:
        if self.takes <= 0:
            raise Unavailable("too many")
        self.takes -= 1
        if self.away:
            self._settled.append((done, Unavailable("away")))
        else:
            super().send(topic, key, value, done)


class Node:
    def __init__(self, folder: Path) -> None:
        (folder / "containers").mkdir()
        (folder / "keep").mkdir()
        self.printed, self.keep = FolderPrinted(folder / "containers"), folder / "keep"
        self.clock, self.log = ManualClock(), MemoryLog()
        self.records = Failing(self.clock, self.log)
        self.agent = self.new_agent()

    def new_agent(self) -> Shipper:
        """As after kill -9: what the old one held is gone, its lock too."""
        if hasattr(self, "agent"):
            os.close(self.agent._marks._lock)
        self.agent = Shipper(self.printed, self.records, Marks(self.keep, self.clock), self.clock, "i", lambda: "n1")
        return self.agent

    def rounds(self, most: int = 200) -> None:
        """Until nothing moves."""
        for _ in range(most):
            wait = self.agent.round(True)
            self.clock.advance(wait)
            if wait and not self.records._settled and not any(f.failed for f in self.agent._followed.values()):
                break
        self.clock.advance(1.1)
        self.agent.round()

    def arrived(self) -> list[Line]:
        consumer = self.records.consumer(None, [LINES])
        return [Line.decoded(record.value) for record in consumer.poll(10**6, 0)]

    def texts(self) -> list[str]:
        """In the order of their coming, what came again left out."""
        return [line.text for line in {(line.source, line.position): line for line in reversed(self.arrived())}.values()][::-1]


@pytest.fixture
def node(tmp_path: Path) -> Node:
    return Node(tmp_path)


def test_a_line_says_whose_it_is(node: Node) -> None:
    node.printed.container("c1", APP).say("hello", "ERROR no")
    node.printed.container("c2", PART).say('{"event": "x_done", "deployment": "d9", "level": "debug"}')
    node.printed.container("c3", {"berth.installation": "i"}).say("[2026-01-05 08:00:00,123] WARN slow")
    node.printed.container("c4", {"berth.installation": "i", "berth.job": "fetch"}).say("a build's own")
    node.rounds()
    hello, no, done, slow = sorted(node.arrived(), key=lambda line: (line.source, line.position))
    assert (hello.source, hello.kind, hello.level, hello.node, hello.instance) == ("c1", "app", "info", "n1", "task-c1")
    assert (hello.workspace, hello.app, hello.deployment, hello.generation) == ("dora", "a1", "d1", 3)
    assert (hello.release, hello.service, no.level) == ("r1", "web", "error")
    assert (done.kind, done.service, done.deployment, done.level) == ("subsystem", "sensor_manager.intake", "d9", "debug")
    assert (slow.kind, slow.service, slow.level) == ("backing", "name-c3", "warning")


def test_a_killed_agent_is_followed_by_one_that_goes_on(node: Node) -> None:
    docker = node.printed.container("c1", APP)
    for n in range(40):
        docker.say(str(n))
        if n in (12, 25):
            docker.rotate()
        if n % 7 == 3:
            node.rounds()
        if n % 7 == 5:
            node.agent.round()
            node.new_agent()
    node.rounds()
    assert node.texts() == [str(n) for n in range(40)]
    assert len(node.arrived()) < 60, "it does not begin at the beginning each time"


def test_an_orderly_end_repeats_nothing(node: Node) -> None:
    node.printed.container("c1", APP).say("one")
    node.rounds()
    node.agent.close(1)
    node.new_agent()
    node.rounds()
    assert len(node.arrived()) == 1


def test_two_agents_at_once_do_not_carry_twice(node: Node) -> None:
    docker = node.printed.container("c1", APP)
    docker.say("one")
    node.rounds()
    second = Shipper(node.printed, node.records, Marks(node.keep, node.clock), node.clock, "i", lambda: "n1")
    docker.say("two")
    second.round(True)
    assert len(node.arrived()) == 1
    node.rounds()
    assert node.texts() == ["one", "two"]


def test_what_kafka_did_not_take_is_read_again_in_order(node: Node) -> None:
    docker = node.printed.container("c1", APP)
    docker.say("0", "1")
    node.rounds()
    node.records.away = True
    docker.say("2", "3")
    for _ in range(5):
        node.agent.round()
        node.clock.advance(0.5)
    docker.rotate()
    docker.say("4")
    node.records.away = False
    node.clock.advance(5)
    node.rounds()
    assert node.texts() == ["0", "1", "2", "3", "4"]


def test_a_slow_kafka_stops_the_reading_and_loses_nothing(node: Node) -> None:
    docker = node.printed.container("c1", APP)
    docker.say(*map(str, range(lines.FLYING + 500)))
    node.records.hold = True
    for _ in range(300):
        node.agent.round(True)
    followed = node.agent._followed["c1"]
    assert len(followed._flying) == lines.FLYING and len(followed._queue) < 3000
    node.records.hold = False
    node.rounds(1000)
    assert node.texts() == [str(n) for n in range(lines.FLYING + 500)]


def test_a_chatty_container_does_not_keep_others_waiting(node: Node) -> None:
    chatty = node.printed.container("c1", APP)
    chatty.say(*("x" * 100 for _ in range(20_000)))
    for n in range(5):
        node.printed.container(f"q{n}", PART).say("quiet")
    node.records.takes = 0
    node.agent.round(True)
    for _ in range(8):
        node.records.takes = 300
        node.agent.round()
    assert sum(line.text == "quiet" for line in node.arrived()) == 5


def test_a_container_is_read_to_its_end_and_forgotten(node: Node) -> None:
    docker = node.printed.container("c1", APP)
    docker.say("one")
    node.agent.round(True)
    docker.say("two")
    docker.say("no end", end="")
    node.printed.remove("c1")
    node.rounds()
    assert node.texts() == ["one", "two", "no end"]
    node.agent.round(True)
    assert not node.agent._followed and not node.agent._marks.all


def test_lines_that_went_before_kafka_came_back_are_said_to_be_lost(node: Node) -> None:
    docker = node.printed.container("c1", APP)
    docker.say("one")
    node.rounds()
    node.records.away = True
    docker.say("two")
    size = docker.path.stat().st_size
    for n in range(12):
        docker.rotate()
        docker.say(f"file {n}")
        node.agent.round()
        node.clock.advance(0.3)
    node.records.away = False
    node.clock.advance(5)
    node.rounds()
    one, lost, *rest = sorted(node.arrived(), key=lambda line: line.position)
    assert (one.text, lost.level, lost.facts["exact"]) == ("one", "warning", True) and lost.facts["lost"] > size / 2
    assert str(lost.facts["lost"]) in lost.text
    assert [line.text for line in rest if line.text.startswith("file")][-1] == "file 11"


def test_marks_that_cannot_be_read_make_repeats_not_gaps(node: Node) -> None:
    node.printed.container("c1", APP).say("one", "two")
    node.rounds()
    (node.keep / "lines.json").write_text("{")
    node.new_agent()
    node.rounds()
    assert node.texts() == ["one", "two"] and len(node.arrived()) == 4


def test_a_bug_over_one_containers_lines_does_not_silence_the_others(node: Node) -> None:
    docker = node.printed.container("c1", APP)
    node.printed.container("c2", PART).say("one")
    node.agent.round(True)
    node.agent._followed["c1"]._joiner = None  # type: ignore[assignment]
    docker.say("x")
    node.printed.container("c3", PART).say("two")
    node.rounds()
    assert node.texts() == ["one", "two"]
    assert "name-c1" in node.agent.trouble


def test_containers_that_went_while_no_agent_looked_are_forgotten(node: Node) -> None:
    node.printed.container("c1", APP).say("one")
    node.rounds()
    node.printed.remove("c1")
    node.new_agent()
    node.rounds()
    assert not node.agent._marks.all and not node.agent.trouble
