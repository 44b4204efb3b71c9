"""Apps, releases and deployments as the API shows them."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from pydantic import BaseModel

from app_controller.model import Chosen, Deployment
from backbone.documents import Doc
from contracts.messages.deployment import BoundSensor, Shortage
from contracts.states import Build, Rollout


class ReleaseShown(BaseModel):
    id: str
    workspace: str
    app: str
    version: str
    digest: str
    size: int
    created: str
    created_by: str
    state: str
    reason: str
    hint: str
    correlation: str
    manifest: dict[str, Any]
    needs: list[dict[str, Any]]


class WantedShown(BaseModel):
    generation: int
    wish: str
    state: str
    state_code: int
    reason: str
    hint: str
    log: str
    since: datetime
    deadline: datetime | None


class ServingShown(BaseModel):
    generation: int
    health: str
    ready: int
    wanted: int


class StepShown(BaseModel):
    generation: int
    state: str
    at: datetime
    release: str
    version: str


class ReleaseRefShown(BaseModel):
    id: str
    version: str
    digest: str


class ServiceShown(BaseModel):
    """memory: bytes; cpu: cores. Both are limits of one instance."""

    service: str
    instances: int
    public: bool
    cpu: float
    memory: int


class DeploymentShown(BaseModel):
    """`wanted` and `serving` always stand side by side: a failed wish never hides what still serves.

    `services` are those of the wanted generation; `chosen` is what was asked for otherwise than the manifest says.
    """

    id: str
    workspace: str
    name: str
    app: str
    link: str
    release: ReleaseRefShown
    wanted: WantedShown
    serving: ServingShown
    steps: list[StepShown]
    bindings: dict[str, list[BoundSensor]]
    shortages: list[Shortage]
    services: list[ServiceShown]
    chosen: Chosen
    created: datetime
    created_by: str
    correlation: str


class AppShown(BaseModel):
    workspace: str
    name: str
    created: str
    releases: int
    newest: ReleaseShown | None
    deployments: list[DeploymentShown]


def shown_release(doc: Doc) -> ReleaseShown:
    manifest = json.loads(doc["manifest"])
    needs = [{"name": n, **{k: need[k] for k in ("kind", "where", "at_least")}} for n, need in manifest.get("sensors", {}).items()]
    plain = {k: doc.get(k) or "" for k in ReleaseShown.model_fields if k not in ("state", "manifest", "needs", "size")}
    return ReleaseShown(**plain, size=doc["size"], state=Build(int(doc["state"])).name, manifest=manifest, needs=needs)


def shown_deployment(d: Deployment) -> DeploymentShown:
    w = d.wanted
    return DeploymentShown(
        id=d.id,
        workspace=d.workspace,
        name=d.name,
        app=d.app,
        link=d.link,
        release=ReleaseRefShown(**d.release.model_dump()),
        wanted=WantedShown(
            generation=w.generation, wish=d.wish, state=Rollout(w.state).name, state_code=w.state, reason=w.reason, hint=w.hint,
            log=w.log, since=w.since, deadline=w.deadline,
        ),  # fmt: skip
        serving=ServingShown(**d.serving.model_dump(mode="json")),
        steps=[
            StepShown(generation=s.generation, state=Rollout(s.state).name, at=s.at, release=s.release, version=s.version)
            for s in d.steps
        ],
        bindings={need: list(sensors) for need, sensors in d.bindings.items()},
        shortages=list(d.shortages),
        services=[ServiceShown(**{k: getattr(s, k) for k in ServiceShown.model_fields}) for s in d.services],
        chosen=d.chosen,
        created=d.created,
        created_by=d.created_by,
        correlation=d.correlation,
    )
