"""A wait for a server that does not answer is ended, also where nobody has waited for long; between, the thread sleeps."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from backbone.tables.late import Late, Line

SECOND = 0.005


@pytest.fixture
def late() -> Iterator[Late]:
    one = Late(2, SECOND)
    yield one
    one.close()


def test_a_wait_is_ended_in_its_time(late: Late) -> None:
    assert 2 * SECOND <= unanswered(late) < 5


def test_also_after_a_rest(late: Late) -> None:
    unanswered(late)
    rested(late)
    unanswered(late)


def test_it_rests_while_nobody_waits(late: Late) -> None:
    before = rested(late)
    time.sleep(20 * SECOND)
    assert slept(late) == before


def rested(late: Late) -> int:
    """How often its thread has gone to sleep, once that no longer grows."""
    before, end = -1, time.monotonic() + 5
    while (now := slept(late)) != before:
        assert time.monotonic() < end, "it does not rest"
        before = now
        time.sleep(4 * SECOND)
    return now


def slept(late: Late) -> int:
    words = Path(f"/proc/self/task/{late.thread.native_id}/status").read_text().split()
    return int(words[words.index("voluntary_ctxt_switches:") + 1])


def unanswered(late: Late) -> float:
    """Seconds that a wait took whose answer never came."""
    mine, theirs = socket.socketpair()
    line = Line(mine.fileno(), late)
    mine.settimeout(5)
    began = time.monotonic()
    with mine, theirs, line.limited():
        assert mine.recv(1) == b"", "it was cut"
    line.close()
    return time.monotonic() - began
