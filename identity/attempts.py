"""Counts failed logins per username, in this replica's memory: nobody who has not logged in makes us write."""

from __future__ import annotations

import threading
from collections import OrderedDict

from backbone.clock import Clock
from contracts.errors import TooMany
from identity.model import WINDOW, wait

USERNAMES = 10_000


class Attempts:
    """Unknown usernames count as known ones do, so that nothing shows which there are."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._failures: OrderedDict[str, list[float]] = OrderedDict()

    def check(self, username: str) -> None:
        """TooMany: wait first; the directory is not even asked."""
        with self._lock:
            seconds = wait(self._failures.get(username.lower(), ()), self._clock.monotonic())
        if seconds > 0:
            raise TooMany(f"Too many failed logins for this username; try again in {round(seconds) or 1} s.", seconds)

    def failed(self, username: str) -> None:
        now = self._clock.monotonic()
        with self._lock:
            before = self._failures.pop(username.lower(), [])
            self._failures[username.lower()] = [*(at for at in before if at > now - WINDOW), now]
            if len(self._failures) > USERNAMES:
                self._failures.popitem(last=False)

    def passed(self, username: str) -> None:
        with self._lock:
            self._failures.pop(username.lower(), None)
