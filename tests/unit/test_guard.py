"""The agent and its guard: whichever stands still is ended by the other, and nobody is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAM = """
import os, signal, sys, threading
from backbone.clock import SystemClock
from node_manager import guard

guard.SIGN, guard.SILENT, guard.LATE = 0.05, 0.4, 5.0

def work():
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    print(os.getppid(), os.getpid(), flush=True)
    stop.wait(30)

guard.guarded(work, SystemClock())
"""


class Pair:
    def __init__(self) -> None:
        self.process = subprocess.Popen([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, text=True, cwd=ROOT)
        assert self.process.stdout
        self.guard, self.agent = map(int, self.process.stdout.readline().split())

    def gone(self) -> bool:
        """Both: the agent is the guard's child or, once that is dead, somebody else's."""
        return self.process.poll() is not None and not alive(self.agent)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def until(look: Callable[[], bool], seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not look():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.fixture
def pair() -> Iterator[Pair]:
    made = Pair()
    yield made
    for pid in (made.agent, made.guard):
        if not made.gone():
            os.kill(pid, signal.SIGKILL)
    made.process.wait(10)


def test_a_stop_that_is_ordered_reaches_the_agent(pair: Pair) -> None:
    pair.process.terminate()
    until(pair.gone)
    assert pair.process.returncode == 0


@pytest.mark.parametrize("how", [signal.SIGSTOP, signal.SIGKILL])
def test_an_agent_that_stands_still_or_dies_ends_both(pair: Pair, how: signal.Signals) -> None:
    os.kill(pair.agent, how)
    until(pair.gone)
    assert pair.process.returncode == 1


@pytest.mark.parametrize("how", [signal.SIGSTOP, signal.SIGKILL])
def test_a_guard_that_stands_still_or_dies_ends_both(pair: Pair, how: signal.Signals) -> None:
    os.kill(pair.guard, how)
    until(pair.gone)
    assert pair.process.returncode == -signal.SIGKILL


def test_as_long_as_both_give_signs_both_live(pair: Pair) -> None:
    time.sleep(1.5)
    assert pair.process.poll() is None and alive(pair.agent)
