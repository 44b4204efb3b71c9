"""Fixtures that several suites of the ports share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.brokers import KINDS, Broker
from tests.support.databases import own_database


@pytest.fixture(params=["memory", pytest.param("kafka", marks=pytest.mark.real)])
def broker(request: pytest.FixtureRequest) -> Iterator[Broker]:
    broker = KINDS[request.param]()
    try:
        yield broker
    finally:
        broker.close()


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    """The URL of a database of the suite's own, with another order of text than bytes where the server has one."""
    with own_database("suite_test") as (_, url):
        yield url
