"""The agent kills what hangs on its node, so nobody is left to kill the agent: it has a guard, and the guard has the agent."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Callable
from typing import NoReturn

from backbone.clock import Clock

SIGN = 0.5
"""Seconds between two signs of life."""
SILENT = 4.0
"""Seconds without one."""
LATE = 1.0
"""Seconds over `SIGN` after which the listener was kept waiting itself, so that silence proves nothing."""


def guarded(work: Callable[[], None], clock: Clock) -> NoReturn:
    """Does `work` in a child. Whichever of the two gives no sign for 4 s is killed by the other, and the end of one ends both:
    Swarm then starts another. To be called before there is any thread."""
    guards, agents = socket.socketpair()
    child = os.fork()
    if child == 0:
        guards.close()
        parent = os.getppid()
        threading.Thread(target=_end_with, args=(agents, parent, clock), name="guard", daemon=True).start()
        work()
        os._exit(0)
    agents.close()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: os.kill(child, number))
    watch(guards, child, clock)
    _, status = os.waitpid(child, 0)
    os._exit(max(0, os.waitstatus_to_exitcode(status)) if os.WIFEXITED(status) else 1)


def _end_with(line: socket.socket, guard: int, clock: Clock) -> None:
    watch(line, guard, clock)
    os._exit(1)


def watch(line: socket.socket, other: int, clock: Clock) -> None:
    """Gives signs and hears the other's, until the other is gone or was killed."""
    line.settimeout(SIGN)
    heard = clock.monotonic()
    while True:
        began = clock.monotonic()
        try:
            line.send(b".")
            if not line.recv(64):
                return
            heard = clock.monotonic()
            clock.sleep(SIGN)
        except TimeoutError:
            now = clock.monotonic()
            if now - began > 2 * SIGN + LATE:
                heard = now
            elif now - heard > SILENT:
                os.kill(other, signal.SIGKILL)
                return
        except OSError:
            return
