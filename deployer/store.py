"""Keeps rollouts and builds as documents; what a change says goes with it in one write."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from backbone.backbone import Backbone
from backbone.clock import text_of
from backbone.documents import Declared, Doc
from backbone.due import Due
from contracts.errors import NotFound, Taken
from contracts.message import Message
from contracts.states import Build as BuildState
from deployer.build import Build
from deployer.model import Wait, next_step
from deployer.rollout import Rollout

ROLLOUTS = Declared("rollouts", {"due": str, "app": str, "workspace": str})
BUILDS = Declared("builds", {"state": float, "app": str, "workspace": str, "asked": str, "again": bool})
GENERATIONS_KEPT = 5
Change = Callable[[Rollout], tuple[Rollout, Sequence[Message]] | None]
BuildChange = Callable[[Build], tuple[Build, Sequence[Message]] | None]


class RolloutStore:
    """A document is `due` when its next look is; absent: at rest until news comes."""

    def __init__(self, backbone: Backbone) -> None:
        self._kept, self._clock = backbone.kept(ROLLOUTS), backbone.clock
        self._due = Due(self._kept)

    def get(self, deployment: str) -> Rollout | None:
        doc = self._kept.get(deployment)
        return Rollout.model_validate(doc) if doc else None

    def change(self, deployment: str, decide: Change) -> Rollout | None:
        """`decide` gets an empty rollout where there is none; it may be called again. None: left as it is."""
        try:
            return self._changed(deployment, decide)
        finally:
            self._due.changed()

    def _changed(self, deployment: str, decide: Change) -> Rollout | None:
        def on_doc(doc: Doc) -> tuple[Doc, Sequence[Message]] | None:
            decided = decide(Rollout.model_validate(doc))
            return (self._doc(decided[0]), decided[1]) if decided else None

        try:
            doc = self._kept.change(deployment, on_doc)
        except NotFound:
            decided = decide(Rollout(deployment=deployment))
            if decided is None:
                return None
            try:
                self._kept.insert(deployment, self._doc(decided[0]), decided[1])
                return decided[0]
            except Taken:
                doc = self._kept.change(deployment, on_doc)
        return Rollout.model_validate(doc) if doc else None

    def due(self, now: datetime, most: int = 50) -> list[str]:
        return [doc["id"] for doc in self._due.now(now, most)]

    def all(self) -> list[Rollout]:
        return [Rollout.model_validate(doc) for doc in self._kept.find({}, limit=10_000)]

    def forget(self, deployment: str) -> None:
        self._kept.delete(deployment)

    def _doc(self, rollout: Rollout) -> Doc:
        gone = sorted(g.number for g in rollout.generations.values() if g.gone)[:-GENERATIONS_KEPT]
        kept = {n: g for n, g in rollout.generations.items() if g.number not in gone}
        instances = {i: s for i, s in rollout.instances.items() if s.generation not in gone}
        rollout = rollout.model_copy(update={"generations": kept, "instances": instances})
        now = self._clock.now()
        step = next_step(rollout, now)
        until = step.until if isinstance(step, Wait) else now
        return rollout.model_dump(mode="json") | {"due": text_of(until) if until else None}


class BuildStore:
    def __init__(self, backbone: Backbone) -> None:
        self._kept = backbone.kept(BUILDS)

    def get(self, release: str) -> Build | None:
        doc = self._kept.get(release)
        return Build.model_validate(doc) if doc else None

    def insert(self, build: Build, messages: Sequence[Message] = ()) -> bool:
        """False: it is there already."""
        try:
            self._kept.insert(build.release, build.model_dump(mode="json"), messages)
        except Taken:
            return False
        return True

    def change(self, release: str, decide: BuildChange) -> Build | None:
        def on_doc(doc: Doc) -> tuple[Doc, Sequence[Message]] | None:
            decided = decide(Build.model_validate(doc))
            return (decided[0].model_dump(mode="json"), decided[1]) if decided else None

        doc = self._kept.change(release, on_doc)
        return Build.model_validate(doc) if doc else None

    def unfinished(self, most: int = 50) -> list[Build]:
        """Oldest first."""
        docs = self._kept.find({"state": ("<", int(BuildState.BUILT))}, limit=most)
        docs += self._kept.find({"again": True}, limit=most)
        return sorted((Build.model_validate(doc) for doc in docs), key=lambda b: b.asked)

    def of_app(self, workspace: str, app: str) -> list[Build]:
        """Newest first."""
        docs = self._kept.find({"workspace": workspace, "app": app}, limit=1000)
        return sorted((Build.model_validate(doc) for doc in docs), key=lambda b: b.asked, reverse=True)

    def all(self) -> list[Build]:
        return [Build.model_validate(doc) for doc in self._kept.find({}, limit=10_000)]
