"""A release on its way from a zip to images."""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from contracts.message import Message
from contracts.topics import RELEASES


class BuildPlan(BaseModel):
    """What one service's image is made from."""

    model_config = ConfigDict(frozen=True)
    service: str
    runtime: str
    command: str
    packages: str = ""


class ReleaseMessage(Message):
    topic: ClassVar = RELEASES
    key_field: ClassVar = "release"
    release: str


class ReleaseAccepted(ReleaseMessage):
    """A sound zip is in the blob store and waits to be built."""

    app: str
    version_name: str
    digest: str
    blob: str
    services: tuple[BuildPlan, ...]


class BuildMoved(ReleaseMessage):
    """The build has reached a state of contracts.states.Build that is not final."""

    state: int


class ImageBuilt(ReleaseMessage):
    """Every service of the release has an image in the registry: service -> reference by digest."""

    images: dict[str, str]
    seconds: float


class BuildFailed(ReleaseMessage):
    """The build ended without images; the log in the blob store says more."""

    reason: str
    hint: str = ""
