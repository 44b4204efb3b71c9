"""What is kept of one deployment: what is wanted of it, and what was seen. Wanted and seen are told apart, never mixed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

from contracts.messages import InstanceSeen, RunDeployment
from contracts.messages.deployment import ServiceWish
from contracts.states import InstanceState
from contracts.states import Rollout as State

GONE_KEPT = 20


class Generation(BaseModel):
    """One generation's wish and how far it is. `gone`: nothing of it is left in Swarm. `said` is the ready count last told."""

    model_config = ConfigDict(frozen=True)
    number: int
    state: int = State.ASKED
    since: datetime
    release: str = ""
    services: tuple[ServiceWish, ...] = ()
    deadline: datetime
    token: str = ""
    reason: str = ""
    log: str = ""
    said: int = -1
    gone: bool = False

    @property
    def wanted(self) -> int:
        return sum(s.instances for s in self.services)

    @property
    def public(self) -> int:
        return sum(s.instances for s in self.services if s.public)

    def at(self, state: int, now: datetime, reason: str = "", log: str = "") -> Generation:
        return self.model_copy(update={"state": int(state), "since": now, "reason": reason, "log": log})


class Seen(BaseModel):
    """What an agent said last of one instance."""

    model_config = ConfigDict(frozen=True)
    generation: int
    service: str
    state: int
    incarnation: str = ""
    address: str = ""
    reason: str = ""
    at: datetime


class Rollout(BaseModel):
    """`wanted` is the generation that should run, `stop` that of the wish to stop (0: none); the greater counts, of equals to stop.

    `route` is what the gateway was asked for (None: nothing yet), `served` what it said it does.
    """

    model_config = ConfigDict(frozen=True)
    deployment: str
    workspace: str = ""
    correlation: str = ""
    name: str = ""
    app: str = ""
    wanted: int = 0
    stop: int = 0
    destroy: bool = False
    stopped: bool = False
    generations: dict[str, Generation] = {}
    instances: dict[str, Seen] = {}
    route: dict[str, int] | None = None
    route_at: datetime | None = None
    served: dict[str, int] = {}
    link: str = ""

    @property
    def stopping(self) -> bool:
        return 0 < self.stop >= self.wanted

    @property
    def path(self) -> str:
        return f"/{self.workspace}/{self.name}/"

    def generation(self, number: int) -> Generation | None:
        return self.generations.get(str(number))

    @property
    def left(self) -> list[Generation]:
        """The generations of which something may still be in Swarm, oldest first."""
        return sorted((g for g in self.generations.values() if not g.gone), key=lambda g: g.number)

    def of(self, number: int, state: InstanceState | None = None) -> list[Seen]:
        """What was seen of a generation's instances, the latest last."""
        found = [s for s in self.instances.values() if s.generation == number and (state is None or s.state == state)]
        return sorted(found, key=lambda s: s.at)

    def ready(self, number: int) -> int:
        """Healthy instances, no service counted over what it wants."""
        generation = self.generation(number)
        healthy = [s.service for s in self.of(number, InstanceState.HEALTHY)]
        return sum(min(healthy.count(s.service), s.instances) for s in generation.services) if generation else 0

    def with_generation(self, generation: Generation, **more: Any) -> Rollout:
        generations = {**self.generations, str(generation.number): generation}
        return self.model_copy(update={"generations": generations, **more})

    def asked(self, wish: RunDeployment, now: datetime, workspace: str, correlation: str) -> Rollout | None:
        """With the wish taken in; None: an older or repeated one."""
        if wish.generation <= max(self.wanted, self.stop):
            return None
        new = Generation(
            number=wish.generation, since=now, release=wish.release, services=wish.services, deadline=wish.deadline
        )
        return self.with_generation(
            new, wanted=wish.generation, name=wish.deployment_name, app=wish.app, workspace=workspace or self.workspace,
            correlation=correlation or self.correlation, stopped=False, destroy=False,
        )  # fmt: skip

    def instance_seen(self, news: InstanceSeen, now: datetime) -> Rollout | None:
        """None: nothing new. Gone is final for an instance; the last gone ones are kept for their reasons."""
        generation, before = self.generation(news.generation), self.instances.get(news.instance)
        if generation is None or generation.gone or (before and before.state == InstanceState.GONE):
            return None
        seen = Seen(
            generation=news.generation, service=news.service, state=news.state, incarnation=news.incarnation,
            address=news.address, reason=news.reason, at=now,
        )  # fmt: skip
        if before and before.model_copy(update={"at": now}) == seen:
            return None
        instances = {**self.instances, news.instance: seen}
        gone = sorted((s.at, id) for id, s in instances.items() if s.state == InstanceState.GONE)
        for _, id in gone[:-GONE_KEPT]:
            del instances[id]
        return self.model_copy(update={"instances": instances})
