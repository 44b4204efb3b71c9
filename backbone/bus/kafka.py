"""The bus on Kafka: the records port's client, told to send at once, for what the parts say to each other."""

from __future__ import annotations

from backbone.bus.on_records import RecordsBus
from backbone.bus.records import open_records
from backbone.clock import Clock
from backbone.settings import Settings

PATIENCE = 15.0
"""Seconds after which a message counts as not acknowledged: less than `send` itself waits."""


def open_bus(settings: Settings, clock: Clock) -> RecordsBus:
    """From the same settings as the records. Nothing is connected before the first verb."""
    return RecordsBus(open_records(settings, linger=0.0, patience=PATIENCE), clock)
