"""Figures: what the kernel's files say, what two looks make of a second, and what a second adds to a history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from backbone.clock import ManualClock
from backbone.containers import Local, ServiceSpec
from backbone.containers.memory import MemoryContainers
from backbone.containers.memory_images import Image
from backbone.memory import MemoryPlatform
from contracts.errors import Invalid, Unavailable
from contracts.figures import Figures, InstanceFigures, NodeFigures
from contracts.topics import FIGURES
from node_manager.cgroups import Groups, limit_of, word_of
from node_manager.figures import HostGauge
from node_manager.history import Row
from node_manager.history.memory import MemoryHistory
from node_manager.keeping import Keeper
from node_manager.measuring import Measuring, who
from node_manager.memory_figures import MemoryGauge
from node_manager.model_figures import Look, NodeLook, Step, asked, begin_of, cpu_of, joined, of_node, traffic
from node_manager.model_restarts import begun, ordered, restarts, seen
from node_manager.newest import Newest

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
ONE, TWO = "1" * 64, "2" * 64
STAT_1 = "cache 4096\nrss 100\ninactive_file 7\ntotal_cache 600563712\ntotal_inactive_file 1000\ntotal_active_file 5\n"
STAT_2 = "anon 1200128\nfile 4096\nkernel_stack 16384\ninactive_anon 9\nactive_file 8192\ninactive_file 2000\n"
CPU_2 = "usage_usec 2500000\nuser_usec 1000000\nsystem_usec 1500000\nnr_periods 10\n"
NET = """Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo: 401356280  629111    0    0    0     0          0         0 401356280  629111    0    0    0     0       0          0
  eth0:1000  185672    0    0    0     0          0         0 200  128618    0    0    0     0       0          0
 wlp3s0: 30 1 0 0 0 0 0 0 4 1 0 0 0 0 0 0
docker0: 63925591   97724    0    0    0     0          0         0 33763987   84771    0   42    0     0       0          0
bpc052: 66980824   33724    0    0    0     0          0         0 79249592   36221    0    2    0     0       0          0
bac052-plat: 7 1 0 0 0 0 0 0 7 1 0 0 0 0 0 0
veth9971e49: 15702291    9834    0    0    0     0          0         0  8891648   11408    0    0    0     0       0          0
"""


def files(root: Path, found: dict[str, str]) -> None:
    for path, text in found.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)


def version_1(root: Path, folder: str, limit: str = "134217728") -> None:
    files(root, {
        f"cpuacct/{folder}/cpuacct.usage": "7048273154\n", f"memory/{folder}/memory.usage_in_bytes": "9000\n",
        f"memory/{folder}/memory.stat": STAT_1, f"memory/{folder}/memory.limit_in_bytes": limit + "\n",
    })  # fmt: skip


def version_2(root: Path, folder: str, limit: str = "67108864") -> None:
    files(root, {
        "cgroup.controllers": "cpu memory pids\n", f"{folder}/cpu.stat": CPU_2, f"{folder}/memory.current": "9000\n",
        f"{folder}/memory.stat": STAT_2, f"{folder}/memory.max": limit + "\n",
    })  # fmt: skip


@pytest.mark.parametrize("folder", [f"docker/{ONE}", f"system.slice/docker-{ONE}.scope", f"a/b/docker/{ONE}"])
def test_version_1(tmp_path: Path, folder: str) -> None:
    version_1(tmp_path, folder)
    groups = Groups(tmp_path)
    groups.know([ONE])
    assert groups.look(ONE, 5.0) == Look(5.0, 7.048273154, 8000, 134217728)


@pytest.mark.parametrize("folder", [f"docker/{ONE}", f"system.slice/docker-{ONE}.scope", f"machine.slice/x/docker-{ONE}.scope"])
def test_version_2(tmp_path: Path, folder: str) -> None:
    version_2(tmp_path, folder, "max")
    groups = Groups(tmp_path)
    groups.know([ONE])
    assert groups.look(ONE, 5.0) == Look(5.0, 2.5, 7000, None)


def test_a_container_that_comes_later_is_found_and_one_that_ended_is_not_there(tmp_path: Path) -> None:
    version_1(tmp_path, f"docker/{ONE}")
    groups = Groups(tmp_path)
    groups.know([ONE, TWO])
    assert groups.look(TWO, 1.0) is None
    version_1(tmp_path, f"docker/{TWO}")
    groups.know([ONE, TWO])
    assert groups.look(TWO, 1.0)
    (tmp_path / f"cpuacct/docker/{TWO}/cpuacct.usage").unlink()
    assert groups.look(TWO, 2.0) is None and groups.look(ONE, 2.0)
    groups.know([])
    assert groups.look(ONE, 3.0) is None


def test_no_groups_at_all_is_no_error(tmp_path: Path) -> None:
    groups = Groups(tmp_path / "nothing")
    groups.know([ONE])
    assert groups.look(ONE, 1.0) is None


@pytest.mark.parametrize(("text", "limit"), [("max\n", None), ("9223372036854771712\n", None), ("67108864\n", 67108864)])
def test_limits(text: str, limit: int | None) -> None:
    assert limit_of(text) == limit


def test_words_are_whole() -> None:
    assert word_of(STAT_1, "inactive_file") == 7 and word_of(STAT_2, "inactive_file") == 2000
    with pytest.raises(ValueError, match="no swap"):
        word_of(STAT_1, "swap")


def test_traffic_is_the_nodes_own() -> None:
    assert traffic(NET) == (1030, 204)


def test_the_first_look_says_nothing_and_a_counter_that_went_back_neither() -> None:
    assert cpu_of(None, Look(1, 5, 1)) is None and cpu_of(Look(1, 5, 1), Look(1, 5, 1)) is None
    assert cpu_of(Look(1, 5, 1), Look(2, 4, 1)) is None
    assert cpu_of(Look(1, 5, 1), Look(3, 6.5, 1)) == 75.0


def test_a_node_between_two_looks() -> None:
    before = NodeLook(10, 100, 1000, 5, 10, 0.5, 1000, 2000)
    now = NodeLook(12, 101, 1004, 6, 10, 1.234, 3000, 2000, 7, 9)
    seen = of_node(before, now)
    assert seen is not None and (seen.cpu, seen.memory_used, seen.load) == (25.0, 6, 1.23)
    assert (seen.received, seen.sent, seen.disk_used, seen.disk_total) == (1000.0, 0.0, 7, 9)
    assert of_node(before, before) is None and of_node(now, before) is None


def step(seconds: float, samples: int, cpu: float, load: float | None = None) -> Step:
    return Step(NOW + timedelta(seconds=seconds), samples, cpu, cpu * 2, 10.0 * cpu, 20.0 * cpu, load)


def test_steps_are_joined_by_how_much_stands_behind_each() -> None:
    both = joined(step(0, 1, 10.0, 4.0), step(5, 3, 2.0))
    assert both == Step(NOW, 4, 4.0, 20.0, 40.0, 200.0, 4.0)


def test_steps_begin_at_multiples() -> None:
    assert begin_of(NOW + timedelta(seconds=19.9)) == NOW + timedelta(seconds=10)
    assert begin_of(NOW + timedelta(seconds=119), 60) == NOW + timedelta(seconds=60)


@pytest.mark.parametrize(("since", "until", "step", "length", "seconds"), [
    ("", "", "", 3600, 10), ("2h", "", "", 7200, 20), ("24h", "", "", 86400, 300), ("24h", "", "10s", 86400, 10),
    ("7d", "", "1h", 86410, 3600), ("30m", "20m", "", 600, 10), ("2026-11-28T11:59:00Z", "2026-11-28T12:00:00Z", "60", 60, 60),
])  # fmt: skip
def test_what_is_asked(since: str, until: str, step: str, length: float, seconds: int) -> None:
    begin, end, every = asked(since, until, step, NOW)
    assert (end - begin).total_seconds() == length and every == seconds and length / every <= 8641


@pytest.mark.parametrize(("query", "paths"), [
    (("yesterday", "", ""), ["since"]), (("2026-11-28T11:59:00", "later", "1s"), ["until", "since", "step"]),
    (("1h", "2h", ""), ["since"]), (("7d", "3d", ""), ["until"]), (("", "", "15"), ["step"]), (("", "", "x"), ["step"]),
])  # fmt: skip
def test_what_cannot_be_asked(query: tuple[str, str, str], paths: list[str]) -> None:
    with pytest.raises(Invalid) as error:
        asked(*query, NOW)
    assert [p.path for p in error.value.problems] == paths and all(p.rule for p in error.value.problems)


def local(service: str = "x", **labels: str) -> Local:
    return Local("t1", "c1", service, {f"berth.{name}": value for name, value in labels.items()}, "running", "i")


def test_whose_a_container_is() -> None:
    app = who(local(deployment="d", generation="3", service="web", workspace="ada"), "berth")
    assert app and (app.kind, app.service, app.workspace, app.deployment, app.generation) == ("app", "web", "ada", "d", 3)
    part = who(local(subsystem="sensor-manager-intake", source="sensor_manager.intake"), "berth")
    assert part and (part.kind, part.service, part.instance) == ("subsystem", "sensor_manager.intake", "t1")
    stands = who(local("berth-kafka"), "berth")
    assert stands and (stands.kind, stands.service) == ("backing", "kafka")
    assert who(local("berth-firewall"), "berth") is None


class Agent:
    """The measuring of one node on twins."""

    def __init__(self) -> None:
        self.platform = p = MemoryPlatform()
        self.containers = p.containers = MemoryContainers(p.clock)
        self.containers.images.local["app"] = Image({"app/main.py": b""}, ("python", "main.py"))
        self.measuring = Measuring(p.backbone("node_manager", "agent"), self.containers.node, MemoryGauge(p.clock, self.containers))
        self._read = p.records.consumer(None, [FIGURES])

    def run(self, name: str) -> str:
        labels = {"berth.installation": "memory", "berth.deployment": name, "berth.service": "web", "berth.workspace": "ada"}
        self.containers.services.make(ServiceSpec(name, "app", labels))
        self.measuring.changed()
        return self.containers.alive(deployment=name)[0].id

    def step(self) -> None:
        self.platform.clock.advance(1.0)
        self.measuring.step()

    def second(self) -> list[Figures]:
        self.step()
        return [Figures.decoded(record.value) for record in self._read.poll(100, 0)]


def test_one_record_a_second_and_nothing_in_the_first() -> None:
    agent = Agent()
    busy = agent.run("d1")
    agent.containers.instances[busy].burns = 0.8
    assert agent.second() == []
    (seen,) = agent.second()
    assert seen.node == "node1" and seen.of_node.cpu == 22.5 and seen.of_node.received == 1000
    (one,) = seen.instances
    assert (one.instance, one.cpu, one.memory, one.memory_limit) == (busy, 80.0, 24 << 20, 128 << 20)
    agent.run("d2")
    (seen,) = agent.second()
    assert [one.deployment for one in seen.instances] == ["d1"], "of what just came no share is known"
    (seen,) = agent.second()
    assert {one.deployment for one in seen.instances} == {"d1", "d2"}


def test_what_kafka_does_not_take_is_dropped_and_counted() -> None:
    agent = Agent()
    agent.second()
    agent.platform.records.log.away = "for a test"
    for _ in range(3):
        agent.step()
    assert agent.measuring.dropped == 3
    agent.platform.records.log.away = ""
    (seen,) = agent.second()
    assert seen.time == agent.platform.clock.now() and agent.measuring.dropped == 0


def test_this_very_machine() -> None:
    clock = ManualClock()
    gauge = HostGauge(clock, "/proc", "/")
    first = gauge.node()
    clock.advance(1.0)
    second = gauge.node()
    assert 0 < second.memory_used < second.memory_total and second.busy >= first.busy
    assert second.disk_total and second.disk_used and second.disk_used < second.disk_total
    gauge.know([ONE])
    assert gauge.containers() == {}


def test_restarts_are_those_beyond_what_was_ordered() -> None:
    doc = ordered(begun("d1", "web"), 1, 2)
    for name in ("a", "b", "a"):
        doc = seen(doc, 1, name, NOW)
    assert restarts(doc, NOW) == 0
    doc = seen(seen(doc, 1, "c", NOW), 1, "c", NOW)
    assert restarts(doc, NOW) == 1
    doc = seen(ordered(doc, 2, 1), 2, "d", NOW + timedelta(hours=1))
    assert restarts(doc, NOW + timedelta(hours=1)) == 1, "a new generation's first is no restart"
    doc = seen(doc, 2, "e", NOW + timedelta(hours=2))
    assert restarts(doc, NOW + timedelta(hours=3)) == 2 and restarts(doc, NOW + timedelta(hours=25)) == 1
    assert restarts(seen(doc, 9, "x", NOW), NOW) == restarts(doc, NOW), "of an unknown generation nothing is said"


def test_restarts_take_bounded_room() -> None:
    doc = begun("d1", "web")
    for n in range(2000):
        doc = seen(ordered(doc, n // 50, 1), n // 50, f"i{n}", NOW + timedelta(minutes=n))
    assert len(doc["recent"]) == 200 and len(doc["restarts"]) <= 25 and len(doc["wanted"]) == len(doc["seen"]) == 20
    assert restarts(doc, NOW + timedelta(minutes=2000)) > 1300


class Leaving(MemoryHistory):
    """A history that can be taken away."""

    away = False

    def write(self, rows: Sequence[Row], offsets: Mapping[int, int]) -> None:
        if self.away:
            raise Unavailable("PostgreSQL: away for a test")
        super().write(rows, offsets)


class Kept:
    """The keeper alone, on the records' twin."""

    def __init__(self) -> None:
        self.platform = p = MemoryPlatform()
        self.history, self.newest, self.news = Leaving(), Newest(p.clock), 0
        self.begin()

    def begin(self) -> None:
        """A new process."""
        p = self.platform
        self.keeper = Keeper(lambda: p.records, self.history, self.newest, p.clock, self._heard)

    def _heard(self) -> None:
        self.news += 1

    def say(self, seconds: float = 0.0, node: str = "n1", cpu: float = 10.0, raw: bytes = b"") -> None:
        whole = NodeFigures(cpu=cpu, memory_used=1, memory_total=2, load=0.1)
        one = InstanceFigures(instance="w1", kind="app", workspace="ada", cpu=cpu, memory=5)
        said = Figures(node=node, time=self.platform.clock.now() + timedelta(seconds=seconds), of_node=whole, instances=(one,))
        self.platform.records.send(FIGURES, said.key, raw or said.encoded(), lambda error: None)

    def second(self) -> None:
        self.platform.clock.advance(1.0)
        self.keeper.step()

    def steps(self, id: str = "w1") -> list[tuple[int, float]]:
        now = self.platform.clock.now()
        return [(s.samples, s.cpu) for s in self.history.steps(id, now - timedelta(days=1), now, 10)]


def test_ten_seconds_become_one_step() -> None:
    kept = Kept()
    for n in range(21):
        kept.say(cpu=float(n % 10))
        kept.second()
    assert kept.steps() == [(10, 4.5), (10, 4.5)] == kept.steps("n1") and kept.news == 21
    assert list(kept.history.offsets().values()) == [20], "where the step that is not whole began"
    (newest,) = kept.newest.all()
    assert newest.instances[0].cpu == 0.0 and kept.newest.instance("w1") == (newest.instances[0], "n1")


def test_a_record_that_is_none_or_of_another_time_holds_nothing_up() -> None:
    kept = Kept()
    kept.say(raw=b"{}")
    kept.say(seconds=3600)
    kept.say(seconds=-90_000)
    kept.say(seconds=-30)
    kept.second()
    assert kept.newest.all() == [] and kept.news == 0
    kept.say()
    kept.second()
    assert len(kept.newest.all()) == 1 and kept.steps() == [(1, 10.0)], "what comes late is kept, and is not now"


def test_the_history_away_is_said_and_nothing_is_lost() -> None:
    kept = Kept()
    kept.second()
    kept.history.away = True
    for _ in range(15):
        kept.say()
        kept.second()
    assert "PostgreSQL" in kept.keeper.away and kept.newest.all() and kept.steps() == []
    kept.history.away = False
    for _ in range(20):
        kept.second()
    assert kept.keeper.away == "" and sum(samples for samples, _ in kept.steps()) == 15


def test_a_new_process_goes_on_where_the_history_ends() -> None:
    """No step is missing, and none is counted twice."""
    kept = Kept()
    for _ in range(24):
        kept.say()
        kept.second()
    kept.keeper.close()
    for _ in range(30):
        kept.say()
        kept.platform.clock.advance(1.0)
    kept.begin()
    for _ in range(6):
        kept.say()
        kept.second()
    assert kept.steps() == [(10, 10.0)] * 5
