"""Gives up on a server that does not answer: libpq itself waits for ever for one that is frozen or cut off by its network.

Nothing is measured: one thread wakes each second and counts down what is being waited for, then shuts its socket, which
ends the wait as a broken connection.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Late:
    """Watches any number of lines; each wait is ended after `seconds`, or up to one second later."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.left: dict[Line, float] = {}
        self._lock = threading.Lock()
        self._closing = threading.Event()
        threading.Thread(target=self._watch, name="late-answers", daemon=True).start()

    def close(self) -> None:
        self._closing.set()

    def _watch(self) -> None:
        while not self._closing.wait(1.0):
            with self._lock:  # no wait can end, and none begin on the same line, between the look and the cut
                for line in self.left:
                    self.left[line] -= 1
                    if self.left[line] < 0:
                        line.cut()

    def begin(self, line: Line) -> None:
        with self._lock:
            self.left[line] = self.seconds

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
