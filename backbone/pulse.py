"""Whether the loop still goes round: a process whose HTTP answers can have a loop that never will again."""

from __future__ import annotations

import functools
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import ParamSpec, TypeVar

from backbone.clock import Clock

P = ParamSpec("P")
T = TypeVar("T")

HUNG = 15.0
"""Seconds in one handler or tick, which is done within one."""
WAITING = 300.0
"""Seconds in a port: what is away lets a call wait, some several times over, and that is no reason to kill who waits."""
HERE = Path(__file__).parent
PORTS = tuple(str(HERE / name) for name in ("bus", "documents", "tables", "blobs", "directory", "containers", "peers.py", "clock.py"))


class Pulse:
    """`mark` by the loop's thread each time something begins or ends; `problem` by any other."""

    def __init__(self, clock: Clock, hung: float = HUNG, waiting: float = WAITING) -> None:
        self._clock, self._hung, self._waiting = clock, hung, waiting
        self._at, self._thread = 0.0, 0

    def mark(self) -> None:
        self._at, self._thread = self._clock.monotonic(), threading.get_ident()

    def around(self, call: Callable[P, T]) -> Callable[P, T]:
        @functools.wraps(call)
        def marked(*args: P.args, **kwargs: P.kwargs) -> T:
            self.mark()
            try:
                return call(*args, **kwargs)
            finally:
                self.mark()

        return marked

    def problem(self) -> str:
        """Why the process is as good as dead, "" where it is not."""
        passed = self._clock.monotonic() - self._at
        if not self._thread or passed < self._hung:
            return ""
        frame = sys._current_frames().get(self._thread)
        if frame is not None and passed < self._waiting and _in_a_port(frame):
            return ""
        where = f"in {frame.f_code.co_qualname}" if frame is not None else "nowhere: its thread is gone"
        return f"the loop has not gone round for {passed:.0f} s; it stands {where}"


def _in_a_port(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename.startswith(PORTS):
            return True
        frame = frame.f_back
    return False
