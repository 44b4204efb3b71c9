"""The role storage: readings from Kafka into PostgreSQL, and old days dropped."""

from __future__ import annotations

from backbone.backbone import Backbone
from backbone.loop import Follow, Tick
from backbone.subsystem import Subsystem
from sensor_manager.storage.home import open_readings
from sensor_manager.storage.writer import Writer

KEEP_DAYS = 90
HOUR = 3600.0


def build(backbone: Backbone) -> Subsystem:
    group = f"{backbone.installation}.sensor_manager.storage"
    store = open_readings(backbone)
    writer = Writer(backbone.records, store, backbone.clock, group)
    days = backbone.settings.number("READINGS_KEEP_DAYS", KEEP_DAYS)

    def look_after() -> None:
        store.prepare(backbone.clock.now())
        writer.forget(days)

    return Subsystem(
        backbone, ticks=(Tick(HOUR, look_after),), follows=(Follow(writer.work),), stop=writer.close,
        ready=lambda: [writer.away] if writer.away else [],
    )
