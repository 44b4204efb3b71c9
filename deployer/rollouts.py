"""Carries out the model's steps, one at a time, until it says to wait: news in, effects in Swarm, words out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from backbone.backbone import Backbone
from backbone.context import Action, acting, current
from backbone.logs import get_log
from contracts.errors import Invalid, Unavailable
from contracts.message import Message
from contracts.messages import DeploymentSeen, InstanceSeen, RouteSeen, RouteWanted, RunDeployment, StopDeployment
from contracts.states import InstanceState
from contracts.states import Rollout as State
from deployer.fleet import Fleet
from deployer.model import Clear, Forget, Move, Place, Route, Step, Stopped, Tell, Wait, next_step
from deployer.rollout import Generation, Rollout
from deployer.store import RolloutStore

log = get_log()
STEPS = 40
Changed = tuple[Rollout, Sequence[Message]]


class Rollouts:
    """`images` gives a release's images as they are now, by service ({}: as the wish says); Unavailable: not yet."""

    def __init__(self, backbone: Backbone, store: RolloutStore, fleet: Fleet, images: Callable[[str], Mapping[str, str]]) -> None:
        self._clock, self._store, self._fleet, self._images = backbone.clock, store, fleet, images

    # what is heard

    def run(self, wish: RunDeployment) -> None:
        action = current()

        def take(r: Rollout) -> Changed | None:
            asked = r.asked(wish, self._clock.now(), action.workspace, action.correlation)
            return (asked, ()) if asked else None

        self._store.change(wish.deployment, take)
        self.go(wish.deployment)

    def stop(self, wish: StopDeployment) -> None:
        action = current()

        def take(r: Rollout) -> Changed | None:
            older = wish.generation < max(r.wanted, r.stop)
            if older or (wish.generation == r.stop and r.destroy >= wish.destroy):
                return None
            about = {"workspace": r.workspace or action.workspace, "correlation": action.correlation or r.correlation}
            asked = {"stop": wish.generation, "destroy": wish.destroy, "stopped": False}
            return r.model_copy(update={**about, **asked}), ()

        self._store.change(wish.deployment, take)
        self.go(wish.deployment)

    def instance_seen(self, news: InstanceSeen) -> None:
        if self._store.get(news.deployment) is None:
            return
        now = self._clock.now()
        self._store.change(news.deployment, lambda r: (seen, ()) if (seen := r.instance_seen(news, now)) else None)
        self.go(news.deployment)

    def route_seen(self, news: RouteSeen) -> None:
        if self._store.get(news.deployment) is None:
            return
        served = {str(generation): count for generation, count in news.servers.items()}

        def take(r: Rollout) -> Changed | None:
            new = r.model_copy(update={"served": served, "link": news.link or r.link})
            return (new, ()) if new != r else None

        self._store.change(news.deployment, take)
        self.go(news.deployment)

    # what is due

    def look(self) -> None:
        """What has a deadline, a pause that is over, or was left half way by a crash."""
        for deployment in self._store.due(self._clock.now()):
            self.go(deployment)

    def reconcile(self) -> None:
        """An instance that Swarm knows no more is gone, even if its agent died before it could say so."""
        tasks = {t.id: t for t in self._fleet.tasks()}
        now = self._clock.now()
        for r in self._store.all():
            lost = [i for i, s in r.instances.items() if s.state != InstanceState.GONE and not (i in tasks and tasks[i].alive)]
            if lost and self._fleet.old(now, [r.instances[i].at for i in lost]):
                self._store.change(r.deployment, lambda r, lost=lost: (_without(r, lost), ()))  # type: ignore[misc]
                self.go(r.deployment)

    def go(self, deployment: str) -> None:
        """Steps until there is nothing to do but wait. What cannot be done now is due at the next look: others go on."""
        try:
            for _ in range(STEPS):
                r = self._store.get(deployment)
                step = next_step(r, self._clock.now()) if r else Wait()
                if r is None or isinstance(step, Wait):
                    return
                with acting(Action(r.correlation, "", r.workspace)):
                    self._try(r, step)
            log.error("rollout_does_not_rest", deployment=deployment)
        except Unavailable as error:
            log.warning("rollout_waits", deployment=deployment, reason=error.detail)

    def _try(self, r: Rollout, step: Step) -> None:
        """What Docker refuses to place will not be taken the next time either."""
        log.info("rollout_step", deployment=r.deployment, step=type(step).__name__, **vars(step))
        try:
            self._act(r, step)
        except Invalid as error:
            if not isinstance(step, Place):
                raise
            failed = _of(r, step.generation).at(State.FAILED, self._clock.now(), f"It cannot be placed: {error.detail}")
            self._store.change(r.deployment, lambda kept: (kept.with_generation(failed), [_seen(kept, failed, 0)]))

    def _act(self, r: Rollout, step: Step) -> None:
        """The effect first (it may be repeated), then the change, if it is still the step to take."""
        now = self._clock.now()
        token, lines = "", ""
        match step:
            case Place(number):
                token = self._fleet.place(r, _of(r, number), self._images(_of(r, number).release))
            case Clear(number):
                self._fleet.clear(r, _of(r, number))
            case Move(number, State.FAILED):
                lines = self._fleet.last_lines(r, _of(r, number))
            case Forget():
                self._fleet.forget(r)
                self._store.forget(r.deployment)
                return

        def change(now_kept: Rollout) -> Changed | None:
            return _changed(now_kept, step, token, lines) if next_step(now_kept, now) == step else None

        def _changed(r: Rollout, step: Step, token: str, lines: str) -> Changed:
            match step:
                case Move(number, state, reason):
                    moved = _of(r, number).at(state, now, reason, lines)
                    return r.with_generation(moved), [_seen(r, moved, r.ready(number))]
                case Place(number):
                    placed = _of(r, number).at(State.STARTING, now).model_copy(update={"token": token, "said": 0})
                    return r.with_generation(placed), [_seen(r, placed, 0)]
                case Route(weights):
                    numbers = {int(n): w for n, w in weights.items()}
                    generation = max(r.wanted, r.stop)
                    asked = RouteWanted(deployment=r.deployment, generation=generation, path=r.path, weights=numbers)
                    return r.model_copy(update={"route": weights, "route_at": now}), [asked]
                case Tell(number, ready):
                    told = _of(r, number).model_copy(update={"said": ready})
                    return r.with_generation(told), [_seen(r, told, ready)]
                case Clear(number):
                    return r.with_generation(_of(r, number).model_copy(update={"gone": True})), ()
                case Stopped():
                    said = DeploymentSeen(deployment=r.deployment, generation=r.stop, state=State.STOPPED)
                    return r.model_copy(update={"stopped": True, "link": ""}), [said]
                case _:
                    return r, ()

        self._store.change(r.deployment, change)


def _of(r: Rollout, number: int) -> Generation:
    return r.generations[str(number)]


def _seen(r: Rollout, g: Generation, ready: int) -> DeploymentSeen:
    link = r.link if State.RUNNING <= g.state < State.STOPPED else ""
    return DeploymentSeen(
        deployment=r.deployment, generation=g.number, state=g.state, reason=g.reason, ready=ready, wanted=g.wanted,
        link=link, log=g.log,
    )  # fmt: skip


def _without(r: Rollout, lost: Sequence[str]) -> Rollout:
    return r.model_copy(update={"instances": {i: s for i, s in r.instances.items() if i not in lost}})
