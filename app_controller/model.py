"""What a deployment is, and how each wish and each piece of news moves it: pure decisions over one frozen record."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict

from contracts.message import Message
from contracts.messages.deployment import (
    BindSensors,
    BoundSensor,
    DeploymentSeen,
    Need,
    RouteSeen,
    RunDeployment,
    SensorsBound,
    SensorsShort,
    ServiceWish,
    Shortage,
    StopDeployment,
    UnbindSensors,
)
from contracts.states import Rollout, Serving, later

WITHIN = {Rollout.BUILDING: 900, Rollout.BINDING: 30, Rollout.DRAINING: 120}
"""Seconds a generation may stay; from PLACING on the services' own probes say how long."""
AROUND_PROBE = 60.0
GRACE = 30.0
"""How much later than the deployer's own deadline this one falls: it only catches a silent deployer."""


class Record(BaseModel):
    model_config = ConfigDict(frozen=True)


class ReleaseRef(Record):
    id: str
    version: str
    digest: str


class Wanted(Record):
    """The newest wish and how far it has come; `since` is when it reached its state, `log` what it printed where it failed."""

    generation: int
    state: int
    since: datetime
    deadline: datetime | None = None
    reason: str = ""
    hint: str = ""
    log: str = ""


class ServingNow(Record):
    """What the link serves now: a generation's instances in the front door, of how many wanted."""

    generation: int = 0
    health: Serving = Serving.NONE
    ready: int = 0
    wanted: int = 0


class Step(Record):
    """`release` is the one that the generation was asked with, `version` its version; "" in steps that are older than these."""

    generation: int
    state: int
    at: datetime
    release: str = ""
    version: str = ""


class Chosen(Record):
    """What a person asked for that the manifest says otherwise: instances by service, places by need, environment."""

    instances: dict[str, int] = {}
    where: dict[str, str] = {}
    environment: dict[str, str] = {}


class Deployment(Record):
    """`wish` is run, stop or destroy; `sizes` are the public instances that each generation asked for."""

    id: str
    workspace: str
    name: str
    app: str
    created: datetime
    created_by: str
    correlation: str = ""
    wish: str = "run"
    release: ReleaseRef
    services: tuple[ServiceWish, ...] = ()
    needs: tuple[Need, ...] = ()
    chosen: Chosen = Chosen()
    wanted: Wanted
    serving: ServingNow = ServingNow()
    link: str = ""
    steps: tuple[Step, ...] = ()
    bindings: dict[str, tuple[BoundSensor, ...]] = {}
    shortages: tuple[Shortage, ...] = ()
    sizes: dict[int, int] = {}
    images: dict[str, str] = {}


Moved = tuple[Deployment, Sequence[Message]]
MOST_STEPS = 60


def asked(old: Deployment, wish: str, now: datetime, **changes: Any) -> Deployment:
    """A new wish is a new generation of the same deployment."""
    state = Rollout.DRAINING if wish != "run" else Rollout.ASKED
    generation = old.wanted.generation + 1
    blank: dict[str, Any] = {"shortages": ()} if wish == "run" else {}
    made = old.model_copy(update={"wish": wish, **blank, **changes})
    made = made.model_copy(update={"wanted": Wanted(generation=generation, state=state, since=now)})
    return _stepped(made, now)


def begun(d: Deployment, built: bool, now: datetime) -> Moved:
    """From ASKED: to the build that is not done, or straight to the sensors."""
    if d.wish == "run":
        return (d, ()) if not built and d.wanted.state >= Rollout.BUILDING else _begun_run(d, built, now)
    generation = d.wanted.generation
    d = _to(d, Rollout.DRAINING, now)
    return d, [StopDeployment(deployment=d.id, generation=generation, destroy=d.wish == "destroy")]


def _begun_run(d: Deployment, built: bool, now: datetime) -> Moved:
    if not built:
        return _to(d, Rollout.BUILDING, now), ()
    if d.needs:
        d = _to(d, Rollout.BINDING, now)
        return d, [BindSensors(deployment=d.id, generation=d.wanted.generation, needs=d.needs)]
    return placed(d, now)


def placed(d: Deployment, now: datetime) -> Moved:
    """Everything is there: the deployer makes it run. Its deadline follows the slowest probe."""
    seconds = max((s.probe.within for s in d.services), default=30.0) + AROUND_PROBE
    deadline = now + timedelta(seconds=seconds)
    services = tuple(s.model_copy(update={"image": d.images[s.service]}) for s in d.services)
    public = sum(s.instances for s in services if s.public)
    d = _to(d, Rollout.PLACING, now, deadline=deadline + timedelta(seconds=GRACE))
    d = d.model_copy(update={"sizes": {**d.sizes, d.wanted.generation: public}})
    order = RunDeployment(
        deployment=d.id,
        generation=d.wanted.generation,
        deployment_name=d.name,
        app=d.app,
        release=d.release.id,
        services=services,
        deadline=deadline,
    )
    return d, [order]


def bound(d: Deployment, heard: SensorsBound, now: datetime) -> Moved | None:
    if heard.generation != d.wanted.generation or d.wanted.state != Rollout.BINDING:
        return None
    return placed(d.model_copy(update={"bindings": heard.sensors}), now)


def short(d: Deployment, heard: SensorsShort, now: datetime) -> Moved | None:
    if heard.generation != d.wanted.generation or d.wanted.state != Rollout.BINDING:
        return None
    d = d.model_copy(update={"shortages": heard.shortages})
    return failed(d, " ".join(s.reason for s in heard.shortages), "Add sensors there, or ask for others in berth.yml.", now)


def failed(d: Deployment, reason: str, hint: str, now: datetime, log: str = "") -> Moved:
    """The old generation, where there is one, serves on."""
    d = _to(d, Rollout.FAILED, now)
    d = d.model_copy(update={"wanted": d.wanted.model_copy(update={"reason": reason, "hint": hint, "log": log})})
    return d, [UnbindSensors(deployment=d.id, generation=d.wanted.generation)] if not d.serving.generation else []


def seen(d: Deployment, heard: DeploymentSeen, now: datetime) -> Moved | None:
    """News of an older generation changes nothing here; what serves is said by the front door."""
    if heard.generation != d.wanted.generation:
        return None
    state = later(d.wanted.state, heard.state)
    if state == d.wanted.state:
        return None
    if state == Rollout.FAILED:
        return failed(d, heard.reason, next((f"It said last: {x}" for x in heard.log.splitlines()[::-1] if x.strip()), ""), now, heard.log)
    d = _to(d, Rollout(state), now)
    if state == Rollout.STOPPED:
        d = d.model_copy(update={"serving": ServingNow(), "sizes": {}, "bindings": {}})
        return d, [UnbindSensors(deployment=d.id, generation=d.wanted.generation)]
    if state == Rollout.RUNNING:
        return d.model_copy(update={"link": heard.link or d.link}), [
            UnbindSensors(deployment=d.id, generation=d.wanted.generation - 1)
        ] if d.wanted.generation > 1 else []
    return d, ()


def routed(d: Deployment, heard: RouteSeen) -> Moved | None:
    """What the front door has. None of a generation that ran is down; none after a stop is nothing at all."""
    ready = sum(heard.servers.values())
    generation = max((g for g, n in heard.servers.items() if n), default=d.serving.generation)
    size = d.sizes.get(generation, 0)
    if ready == 0:
        stopped = d.wish != "run" or not heard.link
        health = Serving.NONE if stopped else Serving.DOWN
        now = ServingNow() if stopped else ServingNow(generation=generation, health=health, wanted=size)
    else:
        health = Serving.HEALTHY if heard.servers.get(generation, 0) >= size else Serving.DEGRADED
        now = ServingNow(generation=generation, health=health, ready=ready, wanted=size)
    if now == d.serving and (heard.link in ("", d.link)):
        return None
    return d.model_copy(update={"serving": now, "link": heard.link or d.link}), ()


def expired(d: Deployment, now: datetime) -> Moved | None:
    """No deployment stays between states for ever."""
    if d.wanted.deadline is None or now < d.wanted.deadline or Rollout(d.wanted.state).final:
        return None
    state = Rollout(d.wanted.state)
    seconds = (now - d.wanted.since).total_seconds()
    hint = "Deploy it again; the log of the platform's parts has more under this correlation id."
    d, messages = failed(d, f"It stayed {seconds:.0f} s in {state.name}, longer than allowed.", hint, now)
    if state in (Rollout.PLACING, Rollout.STARTING) and not d.serving.generation:
        messages = [*messages, StopDeployment(deployment=d.id, generation=d.wanted.generation)]
    return d, messages


def _to(d: Deployment, state: Rollout, now: datetime, deadline: datetime | None = None) -> Deployment:
    if deadline is None and state in WITHIN:
        deadline = now + timedelta(seconds=WITHIN[state])
    if deadline is None and not state.final and state < Rollout.RUNNING:
        deadline = d.wanted.deadline
    wanted = Wanted(generation=d.wanted.generation, state=state, since=now, deadline=None if state.final else deadline)
    return _stepped(d.model_copy(update={"wanted": wanted}), now)


def _stepped(d: Deployment, now: datetime) -> Deployment:
    """A state the generation has been in already is not told twice."""
    last = d.steps[-1] if d.steps else None
    if last and (last.generation, last.state) == (d.wanted.generation, d.wanted.state):
        return d
    step = Step(generation=d.wanted.generation, state=d.wanted.state, at=now, release=d.release.id, version=d.release.version)
    return d.model_copy(update={"steps": (*d.steps, step)[-MOST_STEPS:]})
