"""The rollout's decisions, as values: what is wanted and seen, and the one next step."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from contracts.messages import InstanceSeen, RunDeployment
from contracts.messages.deployment import ServiceWish
from contracts.states import InstanceState
from contracts.states import Rollout as State
from deployer.model import CRASHES, LINGER, ROUTE_WITHIN, Clear, Forget, Move, Place, Route, Stopped, Tell, Wait, next_step
from deployer.rollout import Rollout

NOW = datetime(2026, 1, 5, 8, tzinfo=UTC)
DEADLINE = NOW + timedelta(seconds=30)


def wish(generation: int, instances: int = 2, public: bool = True) -> RunDeployment:
    service = ServiceWish(
        service="web", image=f"r/apps@sha256:{generation}", command="python app.py", port=8000, public=public, instances=instances
    )
    return RunDeployment(
        deployment="d1",
        generation=generation,
        deployment_name="comfort",
        app="comfort",
        release=f"r{generation}",
        services=(service,),
        deadline=DEADLINE,
    )


def asked(generation: int, r: Rollout | None = None, **more: object) -> Rollout:
    new = (r or Rollout(deployment="d1")).asked(wish(generation, **more), NOW, "ada", "0" * 32)  # type: ignore[arg-type]
    assert new
    return new


def at(r: Rollout, generation: int, state: State, **more: object) -> Rollout:
    found = r.generation(generation)
    assert found
    return r.with_generation(found.at(state, NOW).model_copy(update={"said": r.ready(generation), **more}))


def healthy(r: Rollout, generation: int, count: int, state: InstanceState = InstanceState.HEALTHY, reason: str = "") -> Rollout:
    for n in range(count):
        news = InstanceSeen(
            deployment="d1", generation=generation, service="web", instance=f"g{generation}-{state.name}-{n}", incarnation="1", node="n1",
            address=f"10.0.0.1:3{n}", state=state, reason=reason, public=True,
        )  # fmt: skip
        r = r.instance_seen(news, NOW) or r
    return r


def running(generation: int = 1) -> Rollout:
    r = at(asked(generation), generation, State.RUNNING).model_copy(
        update={"route": {str(generation): 100}, "served": {str(generation): 2}}
    )
    r = healthy(r, generation, 2)
    return at(r, generation, State.RUNNING)


def test_a_new_generation_is_placed_started_routed_and_then_runs() -> None:
    r = asked(1)
    assert next_step(r, NOW) == Move(1, State.PLACING)
    r = at(r, 1, State.PLACING)
    assert next_step(r, NOW) == Place(1)
    r = at(r, 1, State.STARTING)
    assert next_step(r, NOW) == Wait(DEADLINE)
    r = healthy(r, 1, 1)
    assert next_step(r, NOW) == Tell(1, 1)
    r = healthy(r, 1, 2)
    assert next_step(r, NOW) == Route({"1": 100})
    r = at(r, 1, State.STARTING).model_copy(update={"route": {"1": 100}})
    assert next_step(r, NOW) == Wait(DEADLINE)
    assert next_step(r.model_copy(update={"served": {"1": 1}}), NOW) == Wait(DEADLINE)
    r = r.model_copy(update={"served": {"1": 2}})
    assert next_step(r, NOW) == Move(1, State.RUNNING)
    assert next_step(at(r, 1, State.RUNNING), NOW) == Wait(None)


def test_without_a_public_service_healthy_instances_are_enough() -> None:
    r = at(healthy(asked(1, public=False), 1, 2), 1, State.STARTING)
    assert next_step(r, NOW) == Move(1, State.RUNNING)


def test_the_old_generation_serves_until_the_new_one_has_the_link() -> None:
    r = at(asked(2, running()), 2, State.STARTING)
    assert next_step(r, NOW) == Wait(DEADLINE)
    r = at(healthy(r, 2, 2), 2, State.STARTING)
    assert next_step(r, NOW) == Route({"2": 100})
    r = r.model_copy(update={"route": {"2": 100}, "served": {"2": 2}})
    assert next_step(r, NOW) == Move(2, State.RUNNING)
    r = at(r, 2, State.RUNNING)
    assert next_step(r, NOW) == Move(1, State.DRAINING)
    r = at(r, 1, State.DRAINING)
    assert next_step(r, NOW) == Wait(NOW + LINGER)
    assert next_step(r, NOW + LINGER) == Move(1, State.STOPPED, "Replaced by generation 2.")
    r = at(r, 1, State.STOPPED)
    assert next_step(r, NOW) == Clear(1)
    assert next_step(at(r, 1, State.STOPPED, gone=True), NOW) == Wait(None)


def test_a_generation_past_its_deadline_fails_with_its_last_reason_and_the_old_one_stays() -> None:
    r = at(asked(2, running()), 2, State.STARTING)
    r = healthy(r, 2, 1, InstanceState.UNHEALTHY, "GET /healthz answers 500")
    step = next_step(r, DEADLINE)
    assert step == Move(2, State.FAILED, "0 of 2 instances became healthy within 30 s: GET /healthz answers 500")
    r = at(r, 2, State.FAILED)
    assert next_step(r, DEADLINE) == Clear(2)
    r = at(r, 2, State.FAILED, gone=True)
    assert next_step(r, DEADLINE) == Wait(None)
    assert [g.number for g in r.left] == [1]


def test_a_generation_that_fails_with_the_link_asked_gives_it_back() -> None:
    r = at(healthy(asked(2, running()), 2, 2), 2, State.STARTING).model_copy(update={"route": {"2": 100}})
    assert "front door" in str(next_step(r, DEADLINE))
    assert next_step(at(r, 2, State.FAILED), DEADLINE) == Route({"1": 100})


def test_instances_that_end_again_and_again_fail_the_generation_before_its_deadline() -> None:
    r = at(asked(1), 1, State.STARTING)
    r = healthy(r, 1, CRASHES - 1, InstanceState.GONE, "exit code 1")
    assert next_step(r, NOW) == Wait(DEADLINE)
    r = healthy(r, 1, CRASHES, InstanceState.GONE, "exit code 1")
    assert next_step(r, NOW) == Move(1, State.FAILED, f"It ended {CRASHES} times while starting: exit code 1")


def test_a_generation_that_never_ran_makes_room_at_once() -> None:
    r = at(asked(3, at(asked(2, running()), 2, State.STARTING)), 3, State.STARTING)
    assert next_step(r, NOW) == Move(2, State.STOPPED, "Replaced by generation 3.")
    assert next_step(at(r, 2, State.STOPPED), NOW) == Clear(2)


def test_a_crash_of_a_running_instance_is_told_and_the_link_stays() -> None:
    r = running()
    gone = InstanceSeen(
        deployment="d1",
        generation=1,
        service="web",
        instance="g1-HEALTHY-0",
        incarnation="1",
        node="n1",
        address="",
        state=InstanceState.GONE,
    )
    r = r.instance_seen(gone, NOW) or r
    assert next_step(r, NOW) == Tell(1, 1)
    assert next_step(at(r, 1, State.RUNNING), NOW) == Wait(None)


def test_a_stop_takes_the_link_first_then_the_instances_then_says_so() -> None:
    r = running().model_copy(update={"stop": 2})
    assert next_step(r, NOW) == Route({})
    r = r.model_copy(update={"route": {}, "route_at": NOW})
    assert next_step(r, NOW) == Wait(NOW + ROUTE_WITHIN)
    assert next_step(r, NOW + ROUTE_WITHIN) == Move(1, State.STOPPED, "Stopped.")
    r = r.model_copy(update={"served": {"1": 0}})
    assert next_step(r, NOW) == Move(1, State.STOPPED, "Stopped.")
    r = at(r, 1, State.STOPPED)
    assert next_step(r, NOW) == Clear(1)
    r = at(r, 1, State.STOPPED, gone=True)
    assert next_step(r, NOW) == Stopped()
    assert next_step(r.model_copy(update={"stopped": True}), NOW) == Wait(None)


def test_a_draining_generation_goes_in_its_time_whatever_the_next_one_does() -> None:
    r = at(asked(2, running()), 2, State.RUNNING).model_copy(update={"route": {"2": 100}, "served": {"2": 2}})
    r = at(at(r, 1, State.DRAINING), 2, State.RUNNING)
    r = at(asked(3, r), 3, State.STARTING)
    assert next_step(r, NOW) == Wait(NOW + LINGER)
    assert next_step(r, NOW + LINGER) == Move(1, State.STOPPED, "Replaced by generation 3.")


def test_what_is_destroyed_is_forgotten_after_the_word() -> None:
    r = Rollout(deployment="d1", stop=1, destroy=True)
    assert next_step(r, NOW) == Stopped()
    assert next_step(r.model_copy(update={"stopped": True}), NOW) == Forget()


def test_a_stop_of_the_wanted_generation_itself_counts() -> None:
    r = running().model_copy(update={"stop": 1})
    assert r.stopping
    assert asked(2, r).stopping is False


@pytest.mark.parametrize("generation", [1, 2])
def test_an_older_or_repeated_wish_changes_nothing(generation: int) -> None:
    assert running(2).asked(wish(generation), NOW, "ada", "") is None


def test_gone_is_final_for_an_instance() -> None:
    r = healthy(at(asked(1), 1, State.STARTING), 1, 1)
    gone = InstanceSeen(
        deployment="d1",
        generation=1,
        service="web",
        instance="g1-HEALTHY-0",
        incarnation="1",
        node="n1",
        address="",
        state=InstanceState.GONE,
    )
    r = r.instance_seen(gone, NOW) or r
    assert r.instance_seen(gone.model_copy(update={"state": InstanceState.HEALTHY}), NOW) is None
    assert r.ready(1) == 0
