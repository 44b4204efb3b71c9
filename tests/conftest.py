"""What every test may ask for."""

from __future__ import annotations

import pytest

from tests.scenarios.real_world import RealWorld, home


@pytest.fixture(scope="session")
def real_world() -> RealWorld:
    """One installation for the whole run; each test has names of its own."""
    return RealWorld(home())
