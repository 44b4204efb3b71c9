"""The two worlds that a story is told in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.scenarios.story import at_rest
from tests.scenarios.world import World


@pytest.fixture(params=["memory", pytest.param("real", marks=pytest.mark.real)])
def world(request: pytest.FixtureRequest) -> World:
    if request.param == "memory":
        from tests.scenarios.memory_world import MemoryWorld

        return MemoryWorld()
    real: World = request.getfixturevalue("real_world")
    return real


@pytest.fixture(params=["memory", pytest.param("real", marks=[pytest.mark.real, pytest.mark.disturbs])])
def frail(request: pytest.FixtureRequest) -> Iterator[World]:
    """A world of which parts are stopped: at rest before and after."""
    if request.param == "memory":
        from tests.scenarios.memory_world import MemoryWorld

        world: World = MemoryWorld()
    else:
        world = request.getfixturevalue("real_world")
    world.until(lambda: at_rest(world), 90, "the platform is at rest")
    yield world
    world.until(lambda: at_rest(world), 90, "the platform is at rest again")
