"""Joins uploads, builds, sensors and what the deployer sees into deployments that always move on or say why not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from app_controller import model
from app_controller.model import Deployment, Moved
from app_controller.store import Store
from backbone.backbone import Backbone
from backbone.documents import Doc
from backbone.logs import get_log
from backbone.loop import Tick
from backbone.subsystem import Subsystem
from contracts.messages import (
    BuildFailed,
    BuildMoved,
    DeploymentSeen,
    ImageBuilt,
    RouteSeen,
    SensorsBound,
    SensorsShort,
)
from contracts.states import Build, Rollout, later

log = get_log()


class Controller:
    def __init__(self, backbone: Backbone, store: Store) -> None:
        self.clock, self.store = backbone.clock, store

    def build_moved(self, heard: BuildMoved) -> None:
        self._release(heard.release, heard.state)

    def image_built(self, heard: ImageBuilt) -> None:
        self._release(heard.release, Build.BUILT, images=heard.images, seconds=heard.seconds)
        for d in self.store.of_release(heard.release):
            self._move(d.id, lambda d: self._if_waiting(d, heard))

    def build_failed(self, heard: BuildFailed) -> None:
        self._release(heard.release, Build.FAILED, reason=heard.reason, hint=heard.hint)
        for d in self.store.of_release(heard.release):
            self._move(d.id, lambda d: self._if_lost(d, heard))

    def sensors_bound(self, heard: SensorsBound) -> None:
        self._move(heard.deployment, lambda d: model.bound(d, heard, self.clock.now()))

    def sensors_short(self, heard: SensorsShort) -> None:
        self._move(heard.deployment, lambda d: model.short(d, heard, self.clock.now()))

    def deployment_seen(self, heard: DeploymentSeen) -> None:
        moved = self._move(heard.deployment, lambda d: model.seen(d, heard, self.clock.now()))
        if moved and moved.wish == "destroy" and moved.wanted.state == Rollout.STOPPED:
            self.store.forget(moved.id)
            log.info("deployment_destroyed", deployment=moved.id, name=moved.name)

    def route_seen(self, heard: RouteSeen) -> None:
        self._move(heard.deployment, lambda d: model.routed(d, heard))

    def expire(self) -> None:
        for d in self.store.due(self.clock.now()):
            self._move(d.id, lambda d: model.expired(d, self.clock.now()))

    def _if_waiting(self, d: Deployment, heard: ImageBuilt) -> Moved | None:
        waits = d.wish == "run" and d.wanted.state <= Rollout.BUILDING and d.release.id == heard.release
        return model.begun(d.model_copy(update={"images": heard.images}), True, self.clock.now()) if waits else None

    def _if_lost(self, d: Deployment, heard: BuildFailed) -> Moved | None:
        waits = d.wish == "run" and d.wanted.state <= Rollout.BUILDING and d.release.id == heard.release
        return model.failed(d, heard.reason, heard.hint, self.clock.now()) if waits else None

    def _move(self, id: str, decide: Callable[[Deployment], Moved | None]) -> Deployment | None:
        moved = self.store.change(id, decide)
        if moved:
            w, s = moved.wanted, moved.serving
            log.info(
                "deployment_moved", deployment=id, generation=w.generation, state=Rollout(w.state).name, reason=w.reason,
                serving=s.generation, health=s.health.value, ready=s.ready,
            )  # fmt: skip
        return moved

    def _release(self, id: str, state: int, **facts: Any) -> None:
        def change(doc: Doc) -> Doc | None:
            new = later(int(doc["state"]), state)
            return None if new == doc["state"] else doc | {"state": new} | facts

        if self.store.move_release(id, change):
            log.info("release_moved", release=id, state=Build(state).name, reason=facts.get("reason", ""))


def build(backbone: Backbone) -> Subsystem:
    from app_controller.api import api
    from app_controller.uploads import routes
    from backbone.live import Live

    store = Store(backbone)
    controller = Controller(backbone, store)
    live = Live()
    return Subsystem(
        backbone,
        handlers={
            BuildMoved: controller.build_moved,
            ImageBuilt: controller.image_built,
            BuildFailed: controller.build_failed,
            SensorsBound: controller.sensors_bound,
            SensorsShort: controller.sensors_short,
            DeploymentSeen: controller.deployment_seen,
            RouteSeen: controller.route_seen,
        },
        ticks=[Tick(1.0, controller.expire)],
        api=api(backbone, store),
        routes=routes(backbone, store, live),
        live=live,
    )
