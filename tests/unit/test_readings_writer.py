"""The one who stores readings says when it can again, also where no reading comes."""

from __future__ import annotations

import pytest

from backbone.bus.memory_records import MemoryRecords
from backbone.clock import ManualClock
from contracts.errors import Unavailable
from sensor_manager.storage.memory import MemoryReadings
from sensor_manager.storage.writer import Writer


def test_it_is_well_again_without_a_reading() -> None:
    clock = ManualClock()
    records = MemoryRecords(clock)
    writer = Writer(records, MemoryReadings(), clock, "g")
    writer.work()
    assert writer.away == ""
    records.log.away = "a test says so"
    with pytest.raises(Unavailable):
        writer.work()
    assert "a test says so" in writer.away
    records.log.away = ""
    clock.advance(5)
    writer.work()
    assert writer.away == ""
