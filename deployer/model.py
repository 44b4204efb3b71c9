"""Decides the one next step of a deployment from what is wanted and what was seen. Pure: the same record, the same step."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from contracts.states import InstanceState
from contracts.states import Rollout as State
from deployer.rollout import Generation, Rollout

CRASHES = 5
"""So many instances gone before the generation ever ran: it is broken, the deadline need not be waited for."""
LINGER = timedelta(seconds=3)
"""What the drained generation gets for the requests in its hands, after the front door has left it."""
ROUTE_WITHIN = timedelta(seconds=15)
"""How long a stop waits for the front door before instances go all the same."""


@dataclass(frozen=True)
class Move:
    """Remember and say a generation's state."""

    generation: int
    state: State
    reason: str = ""


@dataclass(frozen=True)
class Place:
    """Make the generation's services, then it is STARTING."""

    generation: int


@dataclass(frozen=True)
class Route:
    """Ask the front door for these weights."""

    weights: dict[str, int] = field(hash=False)


@dataclass(frozen=True)
class Tell:
    """Say that another number of instances is ready."""

    generation: int
    ready: int


@dataclass(frozen=True)
class Clear:
    """Take away what Swarm holds of the generation."""

    generation: int


@dataclass(frozen=True)
class Stopped:
    """Nothing of the deployment is left: say so for the wish to stop."""


@dataclass(frozen=True)
class Forget:
    """The record goes too."""


@dataclass(frozen=True)
class Wait:
    """Nothing to do before `until`, unless news comes; None: at rest."""

    until: datetime | None = None


Step = Move | Place | Route | Tell | Clear | Stopped | Forget | Wait


def next_step(r: Rollout, now: datetime) -> Step:
    """One step at a time, so that a crash at any point resumes."""
    if r.stopping:
        return _stop(r, now)
    wanted = r.generation(r.wanted)
    if wanted is None:
        return Wait()
    weights = _weights(r, wanted)
    if weights != (r.route or {}):
        return Route(weights)
    return _forward(r, wanted, now) or _behind(r, wanted, now) or _figures(r) or _pause(r, wanted)


def _weights(r: Rollout, wanted: Generation) -> dict[str, int]:
    """The wanted generation once it is ready, and then for good unless it fails; else the newest that runs."""
    number = str(wanted.number)
    ready = r.ready(wanted.number) >= wanted.wanted or number in (r.route or {})
    if wanted.state in (State.STARTING, State.RUNNING) and wanted.public and ready:
        return {number: 100}
    running = [g for g in r.left if State.RUNNING <= g.state < State.STOPPED and g.public]
    if wanted.state == State.RUNNING:
        running = [g for g in running if g.number == wanted.number]
    return {str(running[-1].number): 100} if running else {}


def _forward(r: Rollout, wanted: Generation, now: datetime) -> Step | None:
    """The wanted generation on its way to RUNNING, or to FAILED."""
    number = wanted.number
    if wanted.state >= State.RUNNING:
        return Clear(number) if wanted.state >= State.STOPPED and not wanted.gone else None
    if now >= wanted.deadline:
        return Move(number, State.FAILED, _late(r, wanted))
    if wanted.state < State.PLACING:
        return Move(number, State.PLACING)
    if wanted.state < State.STARTING:
        return Place(number)
    gone = r.of(number, InstanceState.GONE)
    if len(gone) >= CRASHES and not r.of(number, InstanceState.HEALTHY):
        return Move(number, State.FAILED, f"It ended {len(gone)} times while starting: {gone[-1].reason or 'no reason known'}")
    enough = r.served.get(str(number), 0) >= wanted.public if wanted.public else r.ready(number) >= wanted.wanted
    return Move(number, State.RUNNING) if enough else None


def _behind(r: Rollout, wanted: Generation, now: datetime) -> Step | None:
    """The generations that the wanted one leaves behind: those that never ran at once, the one that ran once it has the link."""
    replaced = f"Replaced by generation {wanted.number}."
    for old in (g for g in r.left if g.number < wanted.number):
        if old.state >= State.STOPPED:
            return Clear(old.number)
        if old.state < State.RUNNING or (old.state == State.DRAINING and now >= old.since + LINGER):
            return Move(old.number, State.STOPPED, replaced)
        if old.state == State.RUNNING and wanted.state == State.RUNNING:
            return Move(old.number, State.DRAINING)
    return None


def _figures(r: Rollout) -> Step | None:
    for g in r.left:
        if g.state in (State.STARTING, State.RUNNING) and g.said != r.ready(g.number):
            return Tell(g.number, r.ready(g.number))
    return None


def _pause(r: Rollout, wanted: Generation) -> Wait:
    moments = [g.since + LINGER for g in r.left if g.state == State.DRAINING]
    if wanted.state < State.RUNNING:
        moments.append(wanted.deadline)
    return Wait(min(moments, default=None))


def _late(r: Rollout, wanted: Generation) -> str:
    """What the deadline found, with the last reason an instance gave."""
    reasons = [s.reason for s in r.of(wanted.number) if s.reason]
    seconds = round((wanted.deadline - wanted.since).total_seconds()) if wanted.state == State.STARTING else 0
    within = f" within {seconds} s" if seconds > 0 else " before its deadline"
    found = f"{r.ready(wanted.number)} of {wanted.wanted} instances became healthy{within}"
    if r.ready(wanted.number) >= wanted.wanted:
        found += ", but the front door did not take the link"
    return f"{found}: {reasons[-1]}" if reasons else f"{found}."


def _stop(r: Rollout, now: datetime) -> Step:
    """Link first, then instances, then the word."""
    if r.route:
        return Route({})
    if r.route is not None and any(r.served.values()) and r.route_at and now < r.route_at + ROUTE_WITHIN:
        return Wait(r.route_at + ROUTE_WITHIN)
    for g in r.left:
        if g.state < State.STOPPED:
            return Move(g.number, State.STOPPED, "Stopped.")
        return Clear(g.number)
    if not r.stopped:
        return Stopped()
    return Forget() if r.destroy else Wait()
