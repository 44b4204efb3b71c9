"""What is kept of one build: how far it is, and why it went as it did. States only grow; of two results the first stored wins."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pydantic import BaseModel, ConfigDict

from contracts.message import Message
from contracts.messages import BuildFailed, BuildMoved, ImageBuilt, ReleaseAccepted
from contracts.messages.release import BuildPlan
from contracts.states import Build as State


class BuildStep(BaseModel):
    model_config = ConfigDict(frozen=True)
    state: int
    at: datetime


class Build(BaseModel):
    """`images` are references by digest, by service; `layers` the kept layers below them.

    `collected`: the images were taken away since; `again`: they are wanted once more, the state stays BUILT.
    """

    model_config = ConfigDict(frozen=True)
    release: str
    app: str
    workspace: str = ""
    correlation: str = ""
    digest: str = ""
    blob: str = ""
    services: tuple[BuildPlan, ...] = ()
    state: int = State.ACCEPTED
    reason: str = ""
    hint: str = ""
    asked: datetime
    ended: datetime | None = None
    tries: int = 0
    images: dict[str, str] = {}
    layers: tuple[str, ...] = ()
    collected: bool = False
    again: bool = False
    steps: tuple[BuildStep, ...] = ()

    @property
    def final(self) -> bool:
        return self.state >= State.BUILT

    def seconds(self, now: datetime) -> float:
        return round(((self.ended or now) - self.asked).total_seconds(), 3)

    def moved(self, state: State, now: datetime) -> tuple[Build, Sequence[Message]] | None:
        """None: it was there already, or is past it (a build begun again after a crash says nothing twice)."""
        if self.state >= state:
            return None
        steps = (*self.steps, BuildStep(state=state, at=now))
        return self._with(state=int(state), steps=steps), [BuildMoved(release=self.release, state=state)]

    @property
    def open(self) -> bool:
        """There is work to do."""
        return not self.final or self.again

    def built(self, images: dict[str, str], layers: Sequence[str], now: datetime) -> tuple[Build, Sequence[Message]] | None:
        """None: another result was first."""
        made = {"images": images, "layers": tuple(layers)}
        if self.again:
            return self._with(**made, again=False, collected=False), ()
        if self.final:
            return None
        steps = (*self.steps, BuildStep(state=State.BUILT, at=now))
        done = self._with(**made, state=int(State.BUILT), ended=now, steps=steps)
        return done, [ImageBuilt(release=self.release, images=images, seconds=done.seconds(now))]

    def failed(self, reason: str, hint: str, now: datetime) -> tuple[Build, Sequence[Message]] | None:
        """None: another result was first."""
        if self.final:
            return None
        steps = (*self.steps, BuildStep(state=State.FAILED, at=now))
        done = self._with(state=int(State.FAILED), reason=reason, hint=hint, ended=now, steps=steps)
        return done, [BuildFailed(release=self.release, reason=reason, hint=hint)]

    def _with(self, **changes: object) -> Build:
        return self.model_copy(update=changes)


def accepted(message: ReleaseAccepted, now: datetime, workspace: str, correlation: str) -> Build:
    return Build(
        release=message.release, app=message.app, workspace=workspace, correlation=correlation, digest=message.digest,
        blob=message.blob, services=message.services, asked=now, steps=(BuildStep(state=State.ACCEPTED, at=now),),
    )  # fmt: skip
