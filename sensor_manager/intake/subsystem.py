"""The role intake: POST /readings, beside a registry that follows devices and kinds."""

from __future__ import annotations

from backbone.backbone import Backbone
from backbone.live import Live, live_route
from backbone.loop import Tick
from backbone.subsystem import Subsystem
from sensor_manager.intake.delivery import Delivery
from sensor_manager.intake.route import Intake
from sensor_manager.registry import Registry
from sensor_manager.store import Store


def build(backbone: Backbone) -> Subsystem:
    live = Live()
    registry = Registry(Store(backbone), backbone.clock)
    intake = Intake(registry, Delivery(backbone.records, live), backbone.clock)
    route = live_route("POST", "/api/v1/readings", intake.readings, backbone, live)
    return Subsystem(backbone, ticks=(Tick(1.0, registry.refresh),), routes=(route,), live=live, start=registry.refresh)
