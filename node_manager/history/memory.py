"""The history's memory twin: one dict, one lock."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from node_manager.history import Row, Subject
from node_manager.model_figures import Step, begin_of, joined


class MemoryHistory:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[str, dict[datetime, Step]] = {}
        self._subjects: dict[str, tuple[Subject, datetime]] = {}
        self._offsets: dict[int, int] = {}

    def prepare(self, now: datetime) -> None:
        """There is always room."""

    def write(self, rows: Sequence[Row], offsets: Mapping[int, int]) -> None:
        with self._lock:
            for subject, step in rows:
                last = max(step.time, self._subjects.get(subject.id, (subject, step.time))[1])
                self._subjects[subject.id] = (subject, last)
                times = self._kept.setdefault(subject.id, {})
                if step.time not in times or step.samples >= times[step.time].samples:
                    times[step.time] = step
            for partition, offset in offsets.items():
                self._offsets[partition] = max(offset, self._offsets.get(partition, 0))

    def offsets(self) -> dict[int, int]:
        with self._lock:
            return dict(self._offsets)

    def subject(self, id: str) -> Subject | None:
        with self._lock:
            return self._subjects[id][0] if id in self._subjects else None

    def steps(self, id: str, since: datetime, until: datetime, seconds: int) -> list[Step]:
        found: dict[datetime, Step] = {}
        with self._lock:
            for time, step in sorted(self._kept.get(id, {}).items()):
                if since <= time < until:
                    begin = begin_of(time, seconds)
                    here = replace(step, time=begin)
                    found[begin] = joined(found[begin], here) if begin in found else here
        return list(found.values())

    def forget(self, before: datetime) -> int:
        gone: set[datetime] = set()
        with self._lock:
            for times in self._kept.values():
                for time in [t for t in times if hour_of(t) + timedelta(hours=1) <= before]:
                    gone.add(hour_of(time))
                    del times[time]
            self._subjects = {id: one for id, one in self._subjects.items() if hour_of(one[1]) + timedelta(hours=1) > before}
        return len(gone)


def hour_of(time: datetime) -> datetime:
    return time.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
