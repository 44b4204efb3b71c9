"""Live bindings kept in memory: by sensor for the router, by generation for the endpoint."""

from __future__ import annotations

import threading
from datetime import datetime

from backbone.clock import Clock
from backbone.documents import Doc
from contracts.messages.deployment import BoundSensor
from sensor_manager.store import Store

Needs = dict[str, tuple[BoundSensor, ...]]


class Bindings:
    """Looked at each second for changes, at news of a binding, and by the endpoint on a miss."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock
        self._live: dict[tuple[str, int], Needs] = {}
        self._deployments: dict[str, tuple[str, ...]] = {}
        self._since: datetime | None = None
        self._lock = threading.Lock()

    def refresh(self) -> None:
        """What changed since the last time; all at first."""
        with self._lock:
            now = self._clock.now()
            changed = [self._take(doc) for doc in self._store.bindings_since(self._since)]
            self._since = now
            if any(changed):
                self._index()

    def deployments(self, sensor: str) -> tuple[str, ...]:
        """Those that have a live binding to it."""
        return self._deployments.get(sensor, ())

    def needs(self, deployment: str, generation: int) -> Needs | None:
        """None: this generation has no live binding. Unavailable."""
        found = self._live.get((deployment, generation))
        if found is None:
            doc = self._store.binding(deployment, generation)
            with self._lock:
                if doc is not None and self._take(doc):
                    self._index()
            found = self._live.get((deployment, generation))
        return found

    def _take(self, doc: Doc) -> bool:
        """Whether it changed anything."""
        key = (doc["deployment"], int(doc["generation"]))
        if not doc["live"]:
            return self._live.pop(key, None) is not None
        if key in self._live:
            return False
        self._live[key] = {need: tuple(BoundSensor(**s) for s in some) for need, some in doc["sensors"].items()}
        return True

    def _index(self) -> None:
        found: dict[str, set[str]] = {}
        for (deployment, _), needs in self._live.items():
            for some in needs.values():
                for sensor in some:
                    found.setdefault(sensor.sensor, set()).add(deployment)
        self._deployments = {sensor: tuple(sorted(who)) for sensor, who in found.items()}
