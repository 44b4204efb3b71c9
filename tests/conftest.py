"""What every test may ask for."""

from __future__ import annotations

import pytest

from tests.scenarios.real_world import RealWorld, home


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The browser's driver leaves an event loop running in this thread for the rest of the run: its tests come last."""
    items.sort(key=lambda item: item.get_closest_marker("browser") is not None)


@pytest.fixture(scope="session")
def real_world() -> RealWorld:
    """One installation for the whole run; each test has names of its own."""
    return RealWorld(home())
