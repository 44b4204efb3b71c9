"""Remembers which replicas ran, so that what ends while no monitor looks is missed by the next one."""

from __future__ import annotations

from datetime import timedelta

from backbone.clock import Clock
from monitor.model import Expected, Heard, Known, expected, missing, remaining
from monitor.store import Parts

GRACE = timedelta(seconds=30)
"""A monitor may come up together with all others; so long they may take."""


class Recall:
    """Each monitor looks once, `GRACE` after it began to listen; the one that leads writes down what changes."""

    def __init__(self, clock: Clock, parts: Parts) -> None:
        self._clock, self._parts = clock, parts
        self._began = clock.now()
        self._stored: Expected | None = None
        self._looked = False

    def missed(self, known: Known) -> list[Heard]:
        """Those that ran when that was last written down, and of whose part nobody is heard: told once. Unavailable."""
        if self._looked or self._clock.now() - self._began < GRACE:
            return []
        found = missing(self._parts.all(), known, self._began)
        self._looked = True
        return found

    def keep(self, known: Known) -> None:
        """Unavailable: it is written the next time."""
        if not self._looked:
            return
        if self._stored is None:
            self._stored = self._parts.all()
        now = {**remaining(self._stored, known), **expected(known)}
        for part in self._stored.keys() | now.keys():
            if self._stored.get(part) != now.get(part):
                self._parts.put(part, now.get(part, ()))
        self._stored = now
