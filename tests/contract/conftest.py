"""Fixtures that several suites of the ports share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.brokers import KINDS, Broker


@pytest.fixture(params=["memory", pytest.param("kafka", marks=pytest.mark.real)])
def broker(request: pytest.FixtureRequest) -> Iterator[Broker]:
    broker = KINDS[request.param]()
    try:
        yield broker
    finally:
        broker.close()
