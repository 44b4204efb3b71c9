"""The last beats of each replica, as somebody who looks each second has seen them; nothing is invented for seconds nobody looked."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from platform_ui.model import moment

SHOWN = 20
GAP = timedelta(seconds=4)
LATE, MISSED = 1.8, 3.0


def look(age: float) -> str:
    """Of one second: "" in time, late, or miss."""
    return "" if age < LATE else "late" if age < MISSED else "miss"


class Beats:
    def __init__(self) -> None:
        self._seen: dict[str, deque[str]] = {}
        self._last: datetime | None = None
        self._lock = threading.Lock()

    def see(self, replicas: Iterable[Mapping[str, Any]], now: datetime) -> None:
        """At most one bar a second, however many look."""
        with self._lock:
            self._see(replicas, now)

    def _see(self, replicas: Iterable[Mapping[str, Any]], now: datetime) -> None:
        if self._last is not None and now - self._last < timedelta(milliseconds=900):
            return
        if self._last is not None and now - self._last > GAP:
            self._seen.clear()
        self._last = now
        here = {r["replica"]: look((now - moment(r["last"])).total_seconds()) for r in replicas}
        for gone in self._seen.keys() - here.keys():
            del self._seen[gone]
        for replica, bar in here.items():
            self._seen.setdefault(replica, deque(maxlen=SHOWN)).append(bar)

    def of(self, replica: str) -> list[str]:
        with self._lock:
            return list(self._seen.get(replica, ()))
