"""Which home the readings have: PostgreSQL, or in a memory world the twin that its subsystems share."""

from __future__ import annotations

from backbone.backbone import Backbone
from sensor_manager.storage import ReadingStore
from sensor_manager.storage.memory import MemoryReadings


def open_readings(backbone: Backbone) -> ReadingStore:
    if backbone.tables is None:
        shared: ReadingStore = backbone.parts.extra.setdefault("readings", MemoryReadings())
        return shared
    from sensor_manager.storage.postgres import PostgresReadings

    return PostgresReadings(backbone.tables)
