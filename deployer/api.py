"""What is asked over HTTP: a build with its log, live too, and a rollout."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from flask import Response
from pydantic import BaseModel
from starlette.responses import Response as LiveResponse
from starlette.routing import Route

from backbone.backbone import Backbone
from backbone.http import Blueprint, caller
from backbone.live import Call, Live, live_route
from backbone.live_events import Event, watch
from contracts.errors import NotFound
from contracts.states import Build as BuildState
from contracts.states import InstanceState
from contracts.states import Rollout as State
from deployer.build import Build
from deployer.buildlog import BuildLogs
from deployer.rollout import Rollout
from deployer.store import BuildStore, RolloutStore


class OfRelease(BaseModel):
    release: str


class OfDeployment(BaseModel):
    deployment: str


class StepShown(BaseModel):
    state: str
    at: datetime


class BuildShown(BaseModel):
    """`seconds` so far, or in all."""

    release: str
    app: str
    state: str
    state_code: int
    reason: str
    hint: str
    seconds: float
    steps: list[StepShown]
    images: dict[str, str]


class InstanceShown(BaseModel):
    instance: str
    service: str
    state: str
    address: str
    reason: str


class GenerationShown(BaseModel):
    generation: int
    release: str
    state: str
    reason: str
    ready: int
    wanted: int
    since: datetime
    instances: list[InstanceShown]


class RolloutShown(BaseModel):
    """`route` is what the front door was asked for, generation -> weight; `served` what it has, generation -> instances."""

    deployment: str
    workspace: str
    name: str
    wanted: int
    link: str
    route: dict[str, int]
    served: dict[str, int]
    generations: list[GenerationShown]


def shown_build(build: Build, now: datetime) -> BuildShown:
    return BuildShown(
        release=build.release, app=build.app, state=BuildState(build.state).name, state_code=build.state,
        reason=build.reason, hint=build.hint, seconds=build.seconds(now), images=build.images,
        steps=[StepShown(state=BuildState(s.state).name, at=s.at) for s in build.steps],
    )  # fmt: skip


def shown_rollout(r: Rollout) -> RolloutShown:
    def instances(number: int) -> list[InstanceShown]:
        return [
            InstanceShown(instance=i, service=s.service, state=InstanceState(s.state).name, address=s.address, reason=s.reason)
            for i, s in r.instances.items()
            if s.generation == number
        ]

    generations = sorted(r.generations.values(), key=lambda g: -g.number)
    return RolloutShown(
        deployment=r.deployment, workspace=r.workspace, name=r.name, wanted=max(r.wanted, r.stop), link=r.link,
        route=r.route or {}, served=r.served,
        generations=[
            GenerationShown(
                generation=g.number, release=g.release, state=State(g.state).name, reason=g.reason, since=g.since,
                ready=r.ready(g.number), wanted=g.wanted, instances=instances(g.number),
            )
            for g in generations
        ],
    )  # fmt: skip


def builds_and_rollouts(backbone: Backbone, builds: BuildStore, rollouts: RolloutStore, logs: BuildLogs) -> Blueprint:
    routes = Blueprint("builds", __name__)

    @routes.get("/builds/<release>", summary="A release's build", responses={200: BuildShown})
    def build(path: OfRelease) -> BuildShown:
        found = _theirs(builds.get(path.release), f"The build of release {path.release}")
        return shown_build(found, backbone.clock.now())

    @routes.get("/builds/<release>/log", summary="What the build printed, as text")
    def log(path: OfRelease) -> Response:
        _theirs(builds.get(path.release), f"The build of release {path.release}")
        return Response(logs.text(path.release), content_type="text/plain; charset=utf-8")

    @routes.get("/rollouts/<deployment>", summary="How far a deployment's generations are", responses={200: RolloutShown})
    def rollout(path: OfDeployment) -> RolloutShown:
        found = rollouts.get(path.deployment)
        what = f"The rollout of deployment {path.deployment}"
        if found is None:
            raise NotFound(f"{what} is not there, or not yours to know of.")
        caller().need(found.workspace, "read", what)
        return shown_rollout(found)

    return routes


def _theirs(build: Build | None, what: str) -> Build:
    if build is None:
        raise NotFound(f"{what} is not there, or not yours to know of.")
    caller().need(build.workspace, "read", what)
    return build


def live_routes(backbone: Backbone, builds: BuildStore, logs: BuildLogs, live: Live) -> list[Route]:
    async def log_events(call: Call) -> LiveResponse:
        """Each line as an event, resumable by its number; the last event is `end` with the state."""
        release = call.path["release"]

        def look(last: str) -> Sequence[Event]:
            build = builds.get(release)
            if build is None:
                raise NotFound(f"The build of release {release} is not there, or not yours to know of.")
            call.claims.need(build.workspace, "read", f"The build of release {release}")
            new = logs.lines(release, int(last) if last.isdigit() else 0)
            events = [Event(line, id=str(line.n), name="line") for line in new]
            if build.final:
                events.append(Event({"state": BuildState(build.state).name, "reason": build.reason}, name="end", last=True))
            return events

        return await watch(call, look, every=0.5)

    return [live_route("GET", "/api/v1/builds/{release}/log/events", log_events, backbone, live)]
