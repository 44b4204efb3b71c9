"""What being woken costs on this machine at this moment: the same small piece of work done in a row, and done after a sleep each time.

An idle platform is little but such wakes, and on a virtual machine their price is the host's: it was seen to double within an hour.
A figure of the one is read beside the other, taken in the same run.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

PAUSE = 0.03
"""Seconds asleep: long enough for others to take the caches."""


@dataclass(frozen=True)
class Price:
    """Microseconds of processor for one piece of work, the wake with it."""

    in_a_row: float
    woken: float


def work() -> int:
    """Some 30 us of ordinary Python: it touches memory as a handler does."""
    return sum({str(i): i * i for i in range(300)}.values())


def price(seconds: float = 5.0) -> Price:
    """Takes about so long, and next to no processor."""
    return Price(_each(1000, 0.0), _each(max(1, int(seconds / PAUSE)), PAUSE))


def _each(times: int, pause: float) -> float:
    began = time.process_time()
    for _ in range(times):
        if pause:
            time.sleep(pause)
        work()
    return (time.process_time() - began) / times * 1e6
