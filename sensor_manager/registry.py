"""Devices and kinds kept in memory, so that no reading waits for the documents: looked at each second for changes, and on a miss."""

from __future__ import annotations

import threading
from datetime import datetime

from backbone.clock import Clock
from sensor_manager.kinds import STANDARD, Kind
from sensor_manager.model import Device
from sensor_manager.store import Store


class Registry:
    """A change made elsewhere is seen within a second; a device that was removed is refused by its token at once."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock
        self._devices: dict[str, Device] = {}
        self._kinds: dict[tuple[str, str], Kind] = {("", kind.name): kind for kind in STANDARD}
        self._since: datetime | None = None
        self._lock = threading.Lock()

    def refresh(self) -> None:
        """What changed since the last time; all at first."""
        with self._lock:
            now = self._clock.now()
            for kind in self._store.kinds_since(self._since):
                self._kinds[kind.workspace, kind.name] = kind
            for changed in self._store.devices_since(self._since):
                if isinstance(changed, str):
                    self._devices.pop(changed, None)
                else:
                    self._devices[changed.id] = changed
            self._since = now

    def known(self, device: str) -> Device | None:
        """From memory alone."""
        return self._devices.get(device)

    def find(self, device: str) -> Device | None:
        """Looks it up; for one that memory does not have, such as one that was just added. Unavailable."""
        found = self._store.device(device)
        if found is not None:
            self._devices[device] = found
            if any(self.kind(found.workspace, sensor.kind) is None for sensor in found.sensors):
                self.refresh()
        return found

    def kind(self, workspace: str, name: str) -> Kind | None:
        return self._kinds.get((workspace, name)) or self._kinds.get(("", name))
