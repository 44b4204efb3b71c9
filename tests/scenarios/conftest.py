"""The two worlds that a story is told in."""

from __future__ import annotations

import pytest

from tests.scenarios.world import World


@pytest.fixture(params=["memory", pytest.param("real", marks=pytest.mark.real)])
def world(request: pytest.FixtureRequest) -> World:
    if request.param == "memory":
        from tests.scenarios.memory_world import MemoryWorld

        return MemoryWorld()
    real: World = request.getfixturevalue("real_world")
    return real
