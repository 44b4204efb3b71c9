"""A deployment's decisions: each wish and each piece of news, early, late, twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from app_controller import model, plan
from app_controller.model import Chosen, Deployment, ReleaseRef, Wanted
from contracts.manifest import read_manifest
from contracts.messages.deployment import (
    BindSensors,
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
from contracts.states import Rollout, Serving

NOW = datetime(2026, 1, 5, tzinfo=UTC)
MANIFEST = """\
berth: 1
name: comfort
version: 1.0.0
services:
  web: {runtime: python, command: python app.py, port: 8000, public: true}
sensors:
  t: {kind: temperature, where: "**", at_least: 1}
"""
NEED = Need(name="t", kind="temperature", where="hq/**")


def fresh(needs: tuple[Need, ...] = (NEED,)) -> Deployment:
    d = Deployment(
        id="d", workspace="dora", name="comfort", app="comfort", created=NOW, created_by="dora",
        release=ReleaseRef(id="r", version="1", digest="x"), needs=needs, images={"web": "reg/app@sha256:1"},
        services=(ServiceWish(service="web", image="", command="python app.py", port=8000, public=True, instances=2),),
        wanted=Wanted(generation=0, state=Rollout.ASKED, since=NOW),
    )  # fmt: skip
    return model.asked(d, "run", NOW)


def running() -> Deployment:
    d, _ = model.begun(fresh(()), True, NOW)
    d, _ = model.routed(d, RouteSeen(deployment="d", generation=1, path="/dora/comfort/", link="https://x/", servers={1: 2})) or (d, ())
    d, _ = model.seen(d, DeploymentSeen(deployment="d", generation=1, state=Rollout.RUNNING, link="https://x/"), NOW) or (d, ())
    return d


def state(d: Deployment) -> str:
    return Rollout(d.wanted.state).name


def test_a_wish_waits_for_its_build() -> None:
    d, said = model.begun(fresh(), False, NOW)
    assert (state(d), list(said)) == ("BUILDING", [])
    assert d.wanted.deadline == NOW + timedelta(seconds=900)


def test_built_it_asks_for_sensors_and_with_them_is_placed() -> None:
    d, said = model.begun(fresh(), True, NOW)
    assert state(d) == "BINDING" and isinstance(said[0], BindSensors) and said[0].needs == (NEED,)
    moved = model.bound(d, SensorsBound(deployment="d", generation=1, binding="b", sensors={"t": ()}), NOW)
    assert moved and state(moved[0]) == "PLACING"
    order = moved[1][0]
    assert isinstance(order, RunDeployment) and order.services[0].image == "reg/app@sha256:1" and order.deadline > NOW


def test_without_needs_it_is_placed_at_once() -> None:
    d, said = model.begun(fresh(()), True, NOW)
    assert state(d) == "PLACING" and isinstance(said[0], RunDeployment)


def test_too_few_sensors_fail_it_with_the_reason() -> None:
    d, _ = model.begun(fresh(), True, NOW)
    lack = Shortage(need="t", kind="temperature", where="hq/**", wanted=1, found=0, reason="Needs 1, found 0.")
    moved = model.short(d, SensorsShort(deployment="d", generation=1, shortages=(lack,)), NOW)
    assert moved and (state(moved[0]), moved[0].wanted.reason) == ("FAILED", "Needs 1, found 0.")
    assert moved[0].shortages == (lack,)


def test_news_of_another_generation_or_an_earlier_state_changes_nothing() -> None:
    d, _ = model.begun(fresh(()), True, NOW)
    assert model.seen(d, DeploymentSeen(deployment="d", generation=0, state=Rollout.FAILED), NOW) is None
    moved = model.seen(d, DeploymentSeen(deployment="d", generation=1, state=Rollout.STARTING), NOW)
    assert moved
    assert model.seen(moved[0], DeploymentSeen(deployment="d", generation=1, state=Rollout.PLACING), NOW) is None


def test_of_two_final_states_the_first_stays() -> None:
    d, _ = model.failed(fresh(), "because", "", NOW)
    assert model.seen(d, DeploymentSeen(deployment="d", generation=1, state=Rollout.STOPPED), NOW) is None


def test_running_it_serves() -> None:
    d = running()
    assert (state(d), d.serving.health, d.serving.ready, d.link) == ("RUNNING", Serving.HEALTHY, 2, "https://x/")
    assert d.wanted.deadline is None


def test_a_failed_new_generation_never_hides_the_old_one() -> None:
    d = model.asked(running(), "run", NOW)
    d, _ = model.begun(d, True, NOW)
    moved = model.seen(d, DeploymentSeen(deployment="d", generation=2, state=Rollout.FAILED, reason="no"), NOW)
    assert moved
    d, said = moved
    assert (d.wanted.generation, state(d)) == (2, "FAILED")
    assert (d.serving.generation, d.serving.health, list(said)) == (1, Serving.HEALTHY, [])


@pytest.mark.parametrize(("servers", "health"), [({1: 1}, Serving.DEGRADED), ({1: 0}, Serving.DOWN), ({1: 2}, Serving.HEALTHY)])
def test_what_the_front_door_has_is_what_serves(servers: dict[int, int], health: Serving) -> None:
    d = running()
    moved = model.routed(d, RouteSeen(deployment="d", generation=1, path="/dora/comfort/", link="https://x/", servers=servers))
    assert (moved[0] if moved else d).serving.health == health


def test_a_stop_ends_in_nothing_served_and_gives_the_sensors_back() -> None:
    d, said = model.begun(model.asked(running(), "stop", NOW), True, NOW)
    assert (state(d), said[0]) == ("DRAINING", StopDeployment(deployment="d", generation=2))
    moved = model.seen(d, DeploymentSeen(deployment="d", generation=2, state=Rollout.STOPPED), NOW)
    assert moved and moved[0].serving.health == Serving.NONE and isinstance(moved[1][0], UnbindSensors)


def test_no_generation_stays_between_states() -> None:
    d, _ = model.begun(fresh(), False, NOW)
    assert model.expired(d, NOW + timedelta(seconds=899)) is None
    moved = model.expired(d, NOW + timedelta(seconds=901))
    assert moved and state(moved[0]) == "FAILED" and "BUILDING" in moved[0].wanted.reason
    assert model.expired(moved[0], NOW + timedelta(days=1)) is None


def test_steps_tell_each_state_once() -> None:
    names = [(s.generation, Rollout(s.state).name) for s in running().steps]
    assert names == [(1, "ASKED"), (1, "PLACING"), (1, "RUNNING")]


def test_what_was_chosen_stays_where_the_release_still_knows_it() -> None:
    manifest = read_manifest(MANIFEST, files=None, kinds=None)
    before = Chosen(instances={"web": 3, "gone": 2}, where={"t": "hq/**", "gone": "x"}, environment={"A": "1", "B": "2"})
    now = plan.kept(before, manifest, Chosen(instances={"web": 4}, environment={"B": "3"}))
    assert now == Chosen(instances={"web": 4}, where={"t": "hq/**"}, environment={"A": "1", "B": "3"})
