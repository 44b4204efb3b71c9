"""The role api: keeps kinds and devices, binds deployments to sensors, answers for readings."""

from __future__ import annotations

from collections.abc import Iterable

from backbone.backbone import Backbone
from backbone.context import current
from backbone.live import Live
from backbone.logs import get_log
from backbone.subsystem import Subsystem
from contracts.message import Message
from contracts.messages.deployment import BindSensors, BoundSensor, SensorsBound, SensorsShort, UnbindSensors
from sensor_manager.api import flask_side, live_side
from sensor_manager.binding import Choice, choose
from sensor_manager.storage.home import open_readings
from sensor_manager.store import Store

log = get_log()


class Binder:
    """Chooses sensors among the deployment's workspace's. What is added later joins no running generation: the next one gets it."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def bind(self, order: BindSensors) -> Iterable[Message]:
        """A binding once made stays as it is; a shortage is looked at anew each time the order comes."""
        kept = self.store.binding(order.deployment, order.generation)
        if kept is not None:
            self._say(order, {need: tuple(BoundSensor(**s) for s in some) for need, some in kept["sensors"].items()})
            return
        choice = self._choose(order)
        if choice.shortages:
            self._let_go(order.deployment, 0)
            log.info("sensors_short", deployment=order.deployment, generation=order.generation,
                     reasons=[s.reason for s in choice.shortages])
            yield SensorsShort(deployment=order.deployment, generation=order.generation, shortages=choice.shortages)
            return
        self._say(order, choice.sensors)
        log.info("sensors_bound", deployment=order.deployment, generation=order.generation,
                 sensors={need: len(some) for need, some in choice.sensors.items()})

    def unbind(self, order: UnbindSensors) -> None:
        """Generations up to the order's; sensors that a later one holds exclusively stay held."""
        for doc in self.store.bindings_of(order.deployment):
            if doc["generation"] <= order.generation:
                self.store.end_binding(order.deployment, int(doc["generation"]))
        self._let_go(order.deployment, order.generation)
        log.info("sensors_unbound", deployment=order.deployment, generation=order.generation)

    def _let_go(self, deployment: str, generation: int) -> None:
        """Claims that no binding later than `generation` needs."""
        later = [d for d in self.store.bindings_of(deployment) if d["live"] and d["generation"] > generation]
        self.store.let_go(deployment, but={s["sensor"] for doc in later for some in doc["sensors"].values() for s in some})

    def _choose(self, order: BindSensors) -> Choice:
        """Claims what is exclusive; where another was quicker, chooses again without it."""
        workspace = current().workspace
        devices, kinds = self.store.devices(workspace), self.store.kinds(workspace)
        exclusive = {need.name for need in order.needs if need.policy == "exclusive"}
        used = self._used(workspace, order.deployment) if exclusive else {}
        while True:
            held = {s: by for s, by in self.store.claims().items() if by != order.deployment}
            choice = choose(order.needs, devices, kinds, held, used)
            if choice.shortages:
                return choice
            wanted = [s.sensor for name in exclusive for s in choice.sensors[name]]
            if all(self.store.claim(sensor, order.deployment) for sensor in wanted):
                return choice

    def _used(self, workspace: str, but: str) -> dict[str, str]:
        """Sensors in live bindings of other deployments."""
        others = [doc for doc in self.store.bindings_in(workspace) if doc["deployment"] != but]
        return {s["sensor"]: doc["deployment"] for doc in others for some in doc["sensors"].values() for s in some}

    def _say(self, order: BindSensors, sensors: dict[str, tuple[BoundSensor, ...]]) -> None:
        def message(binding: str) -> Message:
            return SensorsBound(
                deployment=order.deployment, generation=order.generation, binding=binding, sensors=sensors
            )

        self.store.bind(order.deployment, order.generation, current().workspace, sensors, message)


def build(backbone: Backbone) -> Subsystem:
    store, readings, live = Store(backbone), open_readings(backbone), Live()
    binder = Binder(store)

    def start() -> None:
        store.add_standard_kinds()
        readings.prepare(backbone.clock.now())

    return Subsystem(
        backbone,
        handlers={BindSensors: binder.bind, UnbindSensors: binder.unbind},
        api=flask_side(backbone, store, readings),
        routes=live_side(backbone, store, readings, live),
        live=live,
        start=start,
    )
