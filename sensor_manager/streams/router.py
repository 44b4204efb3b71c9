"""Copies each bound reading from `readings` to `streams`, once for every deployment that has it. At least once."""

from __future__ import annotations

from backbone.bus.raw import Record, RecordConsumer, Records
from backbone.clock import Clock
from backbone.logs import get_log
from contracts.errors import Invalid, Unavailable
from contracts.topics import READINGS, STREAMS
from sensor_manager.reading import Reading, packed, unpacked
from sensor_manager.streams.bindings import Bindings

log = get_log()
MOST = 2_000
AT_ONCE = 0.4
ACKNOWLEDGED_WITHIN = 5.0


class Router:
    """`work` is called again and again by one thread; what was routed is committed when Kafka has it in `streams`."""

    def __init__(self, records: Records, bindings: Bindings, clock: Clock, group: str) -> None:
        self._records, self._bindings, self._clock, self._group = records, bindings, clock, group
        self._consumer: RecordConsumer | None = None
        self._batch: list[Record] = []
        self._failed: list[Exception] = []

    def work(self, seconds: float = 0.0) -> None:
        """Waits so long for the first. Unavailable: the batch in hand is routed again at the next call."""
        if self._consumer is None:
            self._consumer = self._records.consumer(self._group, [READINGS])
        until = self._clock.monotonic() + AT_ONCE
        while True:
            self._batch = self._batch or self._consumer.poll(MOST, seconds)
            if not self._batch:
                return
            seconds = 0.0
            self._route(self._batch)
            self._batch = []
            self._consumer.commit()
            if self._clock.monotonic() >= until:
                return

    def close(self) -> None:
        if self._consumer is not None:
            self._consumer.close()

    def _route(self, batch: list[Record]) -> None:
        self._failed = []
        sent = False
        for record in batch:
            for deployment, readings in self._wanted(record).items():
                value = packed(readings)
                self._records.send(STREAMS, deployment.encode(), value, self._acknowledged)
                sent = True
        if sent:
            self._records.flush(ACKNOWLEDGED_WITHIN)
        if self._failed:
            raise Unavailable(f"Kafka did not take {len(self._failed)} records for apps: {self._failed[0]}.")

    def _wanted(self, record: Record) -> dict[str, list[Reading]]:
        found: dict[str, list[Reading]] = {}
        try:
            readings = unpacked(record.value)
        except Invalid:
            return found  # storage buries it, with its reason
        for reading in readings:
            for deployment in self._bindings.deployments(reading.s):
                found.setdefault(deployment, []).append(reading)
        return found

    def _acknowledged(self, error: Exception | None) -> None:
        if error is not None:
            self._failed.append(error)
