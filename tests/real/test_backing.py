"""What the platform stands on goes away and comes back: told in an incident of its own, and nobody is replaced because of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.scenarios.real_world import RealWorld, docker
from tests.scenarios.story import at_rest, incidents

pytestmark = [pytest.mark.real, pytest.mark.disturbs]
AWAY = 15.0
"""Seconds: longer than any replica may be silent."""


@contextmanager
def frozen(world: RealWorld, service: str) -> Iterator[None]:
    """It is there and answers nothing: what a machine without memory looks like."""
    docker("pause", f"{world.installation}-{service}")
    try:
        yield
    finally:
        docker("unpause", f"{world.installation}-{service}")


def replicas(world: RealWorld) -> set[str]:
    found = world.ask("GET", "/subsystems", world.login("operator")).ok(200)["items"]
    return {r["replica"] for s in found for r in s["replicas"]}


def settled(world: RealWorld) -> set[str]:
    """Once nobody leaves any more: a rollout may have ended a moment before."""
    services = world.ask("GET", "/subsystems", world.login("operator")).ok(200)["items"]
    wanted = len(services) + 1  # of the monitor there are two
    return world.until(lambda: found if len(found := replicas(world)) == wanted else None, 60, f"{wanted} replicas")


@pytest.mark.parametrize(
    ("service", "how"),
    [("postgres", "stopped"), ("postgres", "frozen"), ("slapd", "stopped"), ("azurite", "frozen"), ("registry", "stopped")],
)
def test_one_goes_and_comes_back(real_world: RealWorld, service: str, how: str) -> None:
    world = real_world
    world.until(lambda: at_rest(world), 90, "the platform is at rest")
    before, known = settled(world), {i["id"] for i in incidents(world)}
    with world.without(service) if how == "stopped" else frozen(world, service):
        world.let_pass(AWAY)

    def told() -> list[dict[str, Any]]:
        new = [i for i in incidents(world) if i["id"] not in known]
        return new if any(i["subsystem"] == service and i["outcome"] for i in new) else []

    new = world.until(lambda: told() or None, 60, f"the incident of {service} is closed")
    print([(i["title"], i["outcome"], [line["text"] for line in i["timeline"]]) for i in new])
    assert [(i["kind"], i["outcome"]) for i in new if i["subsystem"] == service] == [("backing", "recovered")]
    world.until(lambda: at_rest(world), 90, "the platform is at rest again")
    assert replicas(world) == before and not [i for i in incidents(world) if i["id"] not in known and i["outcome"] == "replaced"]
