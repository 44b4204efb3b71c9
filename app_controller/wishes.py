"""What a person asks for becomes a new generation, with all that follows in one write."""

from __future__ import annotations

from collections.abc import Callable

from app_controller import model, plan
from app_controller.model import Chosen, Deployment, Moved, ReleaseRef, Wanted
from app_controller.store import Store
from backbone.backbone import Backbone
from backbone.context import current
from backbone.documents import Doc
from backbone.logs import get_log
from contracts.errors import Conflict, NotFound, Taken
from contracts.manifest import read_manifest
from contracts.states import Build, Rollout

log = get_log()


class Wishes:
    def __init__(self, backbone: Backbone, store: Store) -> None:
        self._clock, self._store = backbone.clock, store

    def run(self, release: Doc, name: str, by: str, said: Chosen, keep: bool = False) -> tuple[Deployment, bool]:
        """A new deployment (True), or a new generation of the one with this name. Invalid: numbers or names that do not fit.

        `keep`: what was chosen for that one before, and the release still knows of, stays where `said` does not say otherwise.
        """
        manifest = read_manifest(release["manifest_text"])
        old = self._store.named(release["workspace"], name)
        chosen = plan.kept(old.chosen, manifest, said) if old and keep else said
        changes = {
            "release": ReleaseRef(id=release["id"], version=release["version"], digest=release["digest"]),
            "services": plan.services(manifest, chosen.instances, chosen.environment),
            "needs": plan.needs(manifest, chosen.where),
            "chosen": chosen,
            "correlation": current().correlation,
        }
        if old is None:
            try:
                return self._first(release, name, by, changes), True
            except Taken:
                old = self._store.named(release["workspace"], name)
        if old is None or old.app != release["app"]:
            raise Conflict(f"The name {name} is taken by a deployment of another app; choose another with `name`.")
        return self._again(old, release["id"], changes), False

    def end(self, d: Deployment, wish: str) -> Deployment:
        """Stop, or destroy. Conflict: it is stopped already."""
        now = self._clock.now()
        if wish == "stop" and d.wish == "stop":
            raise Conflict(f"{d.name} is stopped already, or being stopped.")

        def decide(d: Deployment) -> Moved:
            return model.begun(model.asked(d, wish, now, correlation=current().correlation), True, now)

        return self._moved(d.id, decide)

    def not_built(self, release: Doc) -> Conflict:
        return Conflict(f"Release {release['version']} has no image: {release['reason']} Upload a corrected zip.")

    def _first(self, release: Doc, name: str, by: str, changes: dict[str, object]) -> Deployment:
        now = self._clock.now()
        d = Deployment(
            id=self._clock.new_id(),
            workspace=release["workspace"],
            name=name,
            app=release["app"],
            created=now,
            created_by=by,
            wanted=Wanted(generation=0, state=Rollout.ASKED, since=now),
            **changes,
        )
        d, messages = self._started(model.asked(d, "run", now), release["id"])
        self._store.add(d, messages)
        self._recheck(d)
        return d

    def _again(self, old: Deployment, release: str, changes: dict[str, object]) -> Deployment:
        d = self._moved(old.id, lambda d: self._started(model.asked(d, "run", self._clock.now(), **changes), release))
        self._recheck(d)
        return d

    def _started(self, d: Deployment, release: str) -> Moved:
        """The build's state is read anew: it may have ended while this was being asked."""
        now, doc = self._clock.now(), self._store.release(release)
        if int(doc["state"]) == Build.FAILED:
            return model.failed(d, doc["reason"], doc["hint"], now)
        built = int(doc["state"]) == Build.BUILT
        return model.begun(d.model_copy(update={"images": doc["images"] if built else {}}), built, now)

    def _recheck(self, d: Deployment) -> None:
        """The build may have ended between the look at it and the write: whoever comes second moves the deployment on."""
        if d.wanted.state == Rollout.BUILDING and int(self._store.release(d.release.id)["state"]) >= Build.BUILT:

            def decide(now: Deployment) -> Moved | None:
                same = now.wanted.generation == d.wanted.generation and now.wanted.state == Rollout.BUILDING
                return self._started(now, d.release.id) if same else None

            self._store.change(d.id, decide)

    def _moved(self, id: str, decide: Callable[[Deployment], Moved]) -> Deployment:
        d = self._store.change(id, decide)
        if d is None:
            raise NotFound(f"Deployment {id} is not there any more.")
        log.info("deployment_asked", deployment=id, wish=d.wish, generation=d.wanted.generation)
        return d
