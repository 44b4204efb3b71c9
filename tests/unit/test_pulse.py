"""A loop that hangs is told by /live; one that waits for what is away is not."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from backbone import http
from backbone.blobs.memory import MemoryBlobs
from backbone.clock import ManualClock
from backbone.live import Live
from backbone.loop import Tick
from backbone.pulse import HUNG, WAITING, Pulse
from backbone.subsystem import Subsystem
from tests.support.tokens import platform_with_key


class Work:
    """A handler on a thread of its own, which goes on when it is let go."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.pulse = Pulse(self.clock)
        self.stands, self.go = threading.Event(), threading.Event()
        self.threads: list[threading.Thread] = []

    def hang(self) -> None:
        self.stands.set()
        assert self.go.wait(10)

    def waits_for_blobs(self) -> None:
        def chunks() -> Iterator[bytes]:
            self.hang()
            yield b""

        MemoryBlobs().put_stream("zips", "a", chunks())

    def start(self, call: Callable[[], None]) -> None:
        self.threads.append(threading.Thread(target=self.pulse.around(call)))
        self.threads[-1].start()
        assert self.stands.wait(5)

    def end(self) -> None:
        self.go.set()
        for thread in self.threads:
            thread.join(10)


@pytest.fixture
def work() -> Iterator[Work]:
    made = Work()
    yield made
    made.end()


def test_one_that_has_not_begun_is_well() -> None:
    clock = ManualClock()
    pulse = Pulse(clock)
    clock.advance(1000)
    assert pulse.problem() == ""


def test_one_that_hangs_is_told_with_where(work: Work) -> None:
    work.start(work.hang)
    work.clock.advance(HUNG - 0.1)
    assert work.pulse.problem() == ""
    work.clock.advance(0.1)
    assert work.pulse.problem() == "the loop has not gone round for 15 s; it stands in Condition.wait"
    work.end()
    assert work.pulse.problem() == "", "it went on"


def test_one_that_waits_for_a_port_is_given_time(work: Work) -> None:
    work.start(work.waits_for_blobs)
    work.clock.advance(WAITING - 1)
    assert work.pulse.problem() == ""
    work.clock.advance(1)
    assert "has not gone round for 300 s" in work.pulse.problem()


def test_one_whose_thread_is_gone_is_told(work: Work) -> None:
    work.start(work.hang)
    work.end()
    work.clock.advance(HUNG)
    assert work.pulse.problem().endswith("nowhere: its thread is gone")


def test_live_says_it_and_ready_does_not() -> None:
    reason = ""
    app = http.compose(None, (), Live(), lambda: [], lambda: reason)
    assert status(app, "/live") == (200, "")
    reason = "the loop has not gone round for 20 s"
    assert status(app, "/live") == (503, reason) and status(app, "/ready")[0] == 200


def test_the_loop_of_a_subsystem_is_watched() -> None:
    platform, backbone = platform_with_key()
    subsystem = Subsystem(backbone, ticks=(Tick(1.0, lambda: None),), checks_tokens=False)
    loop = subsystem.begin()
    loop.step(0)
    platform.clock.advance(HUNG)
    assert status(subsystem.app(), "/live")[0] == 503
    loop.step(0)
    assert status(subsystem.app(), "/live")[0] == 200


def status(app: Any, path: str) -> tuple[int, str]:
    got = TestClient(app).get(path)
    return got.status_code, got.json().get("detail", "")
