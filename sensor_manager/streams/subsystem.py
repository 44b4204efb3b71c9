"""The role streams: router and endpoint in one process."""

from __future__ import annotations

from backbone.backbone import Backbone
from backbone.live import Live
from backbone.loop import Follow, Tick
from backbone.subsystem import Subsystem
from contracts.message import Message
from contracts.messages.deployment import SensorsBound, UnbindSensors
from sensor_manager.storage.home import open_readings
from sensor_manager.store import Store
from sensor_manager.streams.bindings import Bindings
from sensor_manager.streams.endpoint import Endpoint
from sensor_manager.streams.hub import Hub
from sensor_manager.streams.router import Router


def build(backbone: Backbone) -> Subsystem:
    bindings, readings, live = Bindings(Store(backbone), backbone.clock), open_readings(backbone), Live()
    router = Router(backbone.records, bindings, backbone.clock, f"{backbone.installation}.sensor_manager.router")
    hub = Hub(backbone.records)

    def news(_: Message) -> None:
        bindings.refresh()

    def start() -> None:
        readings.prepare(backbone.clock.now())
        bindings.refresh()
        hub.open()

    def stop() -> None:
        router.close()
        hub.close()

    return Subsystem(
        backbone,
        handlers={SensorsBound: news, UnbindSensors: news},  # sooner than the tick; other replicas see it by theirs
        ticks=(Tick(1.0, bindings.refresh),),
        follows=(Follow(router.work), Follow(hub.work)),
        routes=Endpoint(backbone, bindings, readings, hub).routes(live),
        live=live,
        start=start,
        stop=stop,
    )
