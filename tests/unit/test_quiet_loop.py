"""What is written is sent at once and nothing is asked of the documents in between; what stayed unsaid is found all the same."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pytest

from backbone.backbone import Backbone
from backbone.documents import Declared, Documents
from backbone.loop import SWEEP, Follow, Loop, Tick
from backbone.memory import MemoryPlatform
from backbone.subsystem import Subsystem
from contracts.errors import Unavailable
from contracts.messages import Beat, TokenRevoked
from contracts.topics import BEATS, REVOCATIONS

NOUNS = Declared("nouns", {"noun": str})


class House:
    """One subsystem's loop on twins; `asked` counts the looks for what is unsaid."""

    def __init__(self, platform: MemoryPlatform | None = None) -> None:
        self.platform = platform or MemoryPlatform()
        self.backbone: Backbone = self.platform.backbone("identity")
        self.kept = self.backbone.kept(NOUNS)
        self.asked = 0
        self._count(self.backbone.outbox._collections[0])
        self.loop = Loop(
            "identity", "g", self.backbone.bus, self.backbone.clock, self.backbone.outbox, self.backbone.wrapper, {}, ()
        )
        self.reader = self.platform.bus.reader(REVOCATIONS)

    def _count(self, documents: Documents) -> None:
        find = documents.find

        def counted(*args: Any, **more: Any) -> Any:
            self.asked += 1
            return find(*args, **more)

        documents.find = counted  # type: ignore[method-assign]

    def write(self, id: str) -> None:
        now = self.backbone.clock.now()
        self.kept.insert(id, {"noun": id}, [TokenRevoked(jti=id, expires=now)])

    def live(self, seconds: float) -> None:
        """So many seconds, as the loop's thread spends them."""
        end = self.backbone.clock.monotonic() + seconds
        while self.backbone.clock.monotonic() < end:
            self.loop.step(0)
            self.platform.clock.advance(max(0.01, self.loop.wait()))

    def heard(self) -> list[str]:
        return [str(e.body["jti"]) for e in self.reader.read_to_end()]


def test_a_quiet_loop_looks_once_at_its_start_and_then_rarely() -> None:
    house = House()
    house.live(SWEEP - 1)
    assert house.asked == 1
    house.live(2)
    assert house.asked == 2


def test_what_a_thread_of_its_own_wrote_is_sent_in_the_next_round() -> None:
    house = House()
    house.live(1)
    house.write("a")
    house.loop.step(0)
    assert house.heard() == ["a"]
    assert house.asked == 1


def test_what_could_not_be_sent_is_tried_each_second() -> None:
    house = House()
    house.live(1)
    house.write("a")
    house.platform.bus.log.away = "a test says so"
    with pytest.raises(Unavailable):
        house.backbone.outbox.flush()
    before = house.asked
    house.live(3)
    assert house.asked - before >= 2
    house.platform.bus.log.away = ""
    house.live(1.5)
    assert house.heard() == ["a"]
    before = house.asked
    house.live(SWEEP)
    assert house.asked == before + 1, "all is said: it looks rarely again"


def test_a_sending_that_dies_leaves_the_rest_to_the_next_process() -> None:
    first = House()
    first.live(1)
    first.write("a")
    second = House(first.platform)  # its twin's documents are the same: `a` stands there unsaid
    second.loop.step(0)
    assert second.heard() == ["a"]


def test_what_another_process_left_is_found_later() -> None:
    first = House()
    second = House(first.platform)
    second.live(1)
    first.write("a")
    second.live(SWEEP + 1)
    assert second.heard() == ["a"]


def test_more_than_one_look_can_take_is_looked_for_again() -> None:
    house = House()
    for n in range(120):
        house.write(f"{n:03}")
    house.backbone.outbox._touched.clear()  # as after a crash
    house.live(3.5)
    assert sorted(house.heard()) == [f"{n:03}" for n in range(120)]


def test_a_follower_is_called_by_the_loop_where_a_test_is_the_clock() -> None:
    waited: list[float] = []
    platform = MemoryPlatform()

    def build(backbone: Backbone) -> Subsystem:
        return Subsystem(backbone, follows=(Follow(waited.append),), checks_tokens=False)

    platform.add(build, "identity")
    platform.loops["identity"].step(0)
    assert waited == [0]


def test_a_follower_of_a_process_goes_on_after_an_error_and_stops_with_it() -> None:
    platform, rounds = MemoryPlatform(), list[float]()
    kinds: Sequence[Exception] = (Unavailable("away"), ValueError("a bug"))

    def work(seconds: float) -> Iterable[None]:
        rounds.append(seconds)
        if len(rounds) <= len(kinds):
            raise kinds[len(rounds) - 1]
        subsystem._stopping = True
        return ()

    subsystem = Subsystem(platform.backbone("identity"), follows=(Follow(work),))
    subsystem._follow(subsystem.follows[0])
    assert len(rounds) == 3 and all(rounds)


def test_what_is_due_at_different_paces_is_due_together() -> None:
    platform = MemoryPlatform()
    backbone, at = platform.backbone("identity"), dict[str, list[float]]()

    def noted(name: str) -> Callable[[], None]:
        return lambda: at.setdefault(name, []).append(platform.clock.monotonic())

    ticks = [Tick(0.5, noted("half")), Tick(1.0, noted("one")), Tick(5.0, noted("five"))]
    loop = Loop("identity", "g", backbone.bus, backbone.clock, backbone.outbox, backbone.wrapper, {}, ticks)
    loop.step(0)
    platform.clock.advance(0.3)  # whenever the process began
    first = platform.clock.monotonic()
    wakes = 0
    while platform.clock.monotonic() < first + 20:
        platform.clock.advance(loop.wait() - 0.001)  # a wait ends a little early
        loop.step(0)
        platform.clock.advance(0.002)
        wakes += 1
    assert wakes <= 42
    assert [len(at[name]) for name in ("half", "one", "five")] == pytest.approx([41, 21, 5], abs=1)
    assert set(at["five"]) <= set(at["one"]) <= set(at["half"])


def test_who_becomes_ready_says_so_at_once() -> None:
    platform, ready = MemoryPlatform(), list[bool]()
    backbone, heard = platform.backbone("logger"), platform.bus.reader(BEATS)

    def beat() -> Beat:
        return Beat(replica="r", incarnation="i", subsystem="logger", node="n", ready=bool(ready))

    ticks = [Tick(60.0, lambda: ready.append(True))]
    loop = Loop("logger", "g", backbone.bus, backbone.clock, backbone.outbox, backbone.wrapper, {}, ticks, beat)
    loop.step(0)
    assert [e.body["ready"] for e in heard.read_to_end()] == [False, True]
    loop.step(0)
    assert heard.read_to_end() == []
