"""The readings' memory twin: one dict, one lock."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from sensor_manager.storage import Bucket, Stored


class MemoryReadings:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[str, dict[datetime, Stored]] = {}
        self._latest: dict[str, Stored] = {}
        self._offsets: dict[int, int] = {}

    def prepare(self, now: datetime) -> None:
        """There is always room."""

    def write(self, readings: Sequence[Stored], offsets: Mapping[int, int]) -> int:
        new = 0
        with self._lock:
            for reading in readings:
                times = self._kept.setdefault(reading.sensor, {})
                new += reading.time not in times
                kept = times.setdefault(reading.time, reading)
                if reading.sensor not in self._latest or reading.time > self._latest[reading.sensor].time:
                    self._latest[reading.sensor] = kept
            for partition, offset in offsets.items():
                self._offsets[partition] = max(offset, self._offsets.get(partition, 0))
        return new

    def offsets(self) -> dict[int, int]:
        with self._lock:
            return dict(self._offsets)

    def latest(self, sensors: Sequence[str]) -> dict[str, Stored]:
        with self._lock:
            return {sensor: self._latest[sensor] for sensor in sensors if sensor in self._latest}

    def history(self, sensor: str, since: datetime, until: datetime, limit: int) -> list[Stored]:
        with self._lock:
            times = self._kept.get(sensor, {})
            chosen = sorted(time for time in times if since <= time < until)
            return [times[time] for time in chosen[max(0, len(chosen) - limit):]]

    def buckets(self, sensor: str, since: datetime, until: datetime, seconds: int) -> list[Bucket]:
        groups: dict[int, list[float]] = {}
        for reading in self.history(sensor, since, until, 1 << 40):
            if reading.number is not None:
                groups.setdefault(int(reading.time.timestamp() // seconds), []).append(reading.number)
        return [Bucket(datetime.fromtimestamp(n * seconds, UTC), sum(v) / len(v), min(v), max(v), len(v))
                for n, v in sorted(groups.items())]

    def forget(self, before: datetime) -> int:
        gone: set[datetime] = set()
        with self._lock:
            for times in self._kept.values():
                for time in [t for t in times if _day(t) + timedelta(days=1) <= before]:
                    gone.add(_day(time))
                    del times[time]
        return len(gone)


def _day(time: datetime) -> datetime:
    return time.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
