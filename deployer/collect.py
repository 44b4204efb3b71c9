"""Takes away images nobody needs: kept are the newest built releases of each app and all that a rollout may still want."""

from __future__ import annotations

from itertools import groupby

from backbone.backbone import Backbone
from backbone.containers import Containers
from backbone.logs import get_log
from contracts.states import Build as State
from deployer.build import Build
from deployer.making import Maker
from deployer.store import BuildStore, RolloutStore

log = get_log()
RELEASES_KEPT = 2


def superfluous(builds: list[Build], in_use: set[str]) -> list[Build]:
    """Built releases that may go: not among an app's newest, and not of any rollout."""

    def app(build: Build) -> tuple[str, str]:
        return build.workspace, build.app

    built = sorted((b for b in builds if b.state == State.BUILT and not b.collected), key=app)
    found: list[Build] = []
    for _, group in groupby(built, app):
        newest_first = sorted(group, key=lambda b: b.asked, reverse=True)
        found += [b for b in newest_first[RELEASES_KEPT:] if b.release not in in_use]
    return found


class Collector:
    def __init__(self, backbone: Backbone, builds: BuildStore, rollouts: RolloutStore, maker: Maker) -> None:
        self._containers: Containers = backbone.containers
        self._builds, self._rollouts, self._maker = builds, rollouts, maker

    def collect(self) -> None:
        """A little at a time: the loop has other work."""
        in_use = {g.release for r in self._rollouts.all() for g in r.left}
        for build in superfluous(self._builds.all(), in_use)[:5]:
            for service, reference in build.images.items():
                self._containers.images.remove(self._maker.tag(build.release, service))
                self._containers.images.remove(reference)
            self._builds.change(build.release, lambda b: (b.model_copy(update={"collected": True}), ()))
            log.info("images_collected", release=build.release, app=build.app)
        self._layers()

    def _layers(self) -> None:
        """Kept layers that no release with images stands on, and no build in hand may be about to."""
        builds = self._builds.all()
        if any(build.open for build in builds):
            return
        needed = {layer for build in builds if not build.collected for layer in build.layers}
        for image in self._containers.images.images({}):
            if image.tag.startswith(self._maker.layer("")) and image.tag not in needed:
                self._containers.images.remove(image.tag)
                log.info("layer_collected", layer=image.tag.rpartition(":")[2])
