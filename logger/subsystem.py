"""Puts the logger together: what keeps lines, what finds them, and what shows them as they come."""

from __future__ import annotations

from backbone.backbone import Backbone
from backbone.http import api
from backbone.live import Live
from backbone.loop import Tick
from backbone.subsystem import Subsystem
from logger.api import Api
from logger.hub import Hub
from logger.store import open_lines
from logger.writer import Writer

KEEP_DAYS = 7
KEEP_BYTES = 5_000_000_000
GATHERED = 1.0
"""Seconds between two looks into the topic: found a second later, a line costs little; a tail does not wait for it."""
MINUTE = 60.0


def build(backbone: Backbone) -> Subsystem:
    settings, live, store = backbone.settings, Live(), open_lines(backbone)
    days, bytes = settings.number("BERTH_LINES_DAYS", KEEP_DAYS), int(settings.number("BERTH_LINES_BYTES", KEEP_BYTES))
    settings.check()
    writer = Writer(backbone.records, store, backbone.clock, f"{backbone.installation}.logger.lines", days, bytes)
    hub = Hub(lambda: backbone.records, store.shards)
    return Subsystem(
        backbone,
        ticks=(Tick(GATHERED, writer.work), Tick(MINUTE, writer.look_after)),
        api=api("logger", (), backbone),
        routes=Api(backbone, store, hub).routes(live),
        live=live,
        stop=writer.close,
        ready=lambda: [writer.away] if writer.away else [],
    )
