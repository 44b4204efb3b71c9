"""Gives up on a server that does not answer: libpq itself waits for ever for one that is frozen or cut off by its network.

Nothing is measured: one thread wakes each second and counts down what is being waited for, then shuts its socket, which
ends the wait as a broken connection. After a second in which nobody waited it rests, until somebody does.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Late:
    """Watches any number of lines; each wait is ended after `seconds`, or up to one second later (`second` is shorter in tests)."""

    def __init__(self, seconds: float, second: float = 1.0) -> None:
        self.seconds, self._second = seconds, second
        self.left: dict[Line, float] = {}
        self._lock = threading.Lock()
        self._closing, self._waited = threading.Event(), threading.Event()
        self.thread = threading.Thread(target=self._watch, name="late-answers", daemon=True)
        self.thread.start()

    def close(self) -> None:
        self._closing.set()
        self._waited.set()

    def _watch(self) -> None:
        while not self._closing.wait(self._second):
            with self._lock:  # no wait can end, and none begin on the same line, between the look and the cut
                for line in self.left:
                    self.left[line] -= 1
                    if self.left[line] < 0:
                        line.cut()
                rests = not (self._waited.is_set() or self.left)
                self._waited.clear()
            if rests:
                self._waited.wait()

    def begin(self, line: Line) -> None:
        with self._lock:
            self.left[line] = self.seconds
            if not self._waited.is_set():
                self._waited.set()

    def end(self, line: Line) -> None:
        with self._lock:
            self.left.pop(line, None)


class Line:
    """A second handle on a connection's socket: the first may be closed, and its number given to another, at any moment."""

    def __init__(self, number: int, late: Late) -> None:
        self._socket = socket.socket(fileno=os.dup(number))
        self._late = late

    @contextmanager
    def limited(self) -> Iterator[None]:
        self._late.begin(self)
        try:
            yield
        finally:
            self._late.end(self)

    def cut(self) -> None:
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # it is down already

    def close(self) -> None:
        self._socket.close()
