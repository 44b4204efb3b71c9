"""The front door's twin behaves as HAProxy does."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from backbone.containers.memory_app import Answer
from contracts.errors import Unavailable
from gateway.front_door import FrontDoor, Server
from gateway.memory_front_door import MemoryFrontDoor
from tests.support.front_door_promise import PROMISES


class Two:
    """Two instances, of which the second is dead."""

    def answer(self, address: str, method: str = "GET", path: str = "/") -> Answer:
        if address == "b:1":
            raise Unavailable("nobody there")
        return Answer(200, {}, f"{address} {method} {path}".encode())


def test_a_link_leads_to_the_instance_without_its_prefix() -> None:
    door = MemoryFrontDoor(Two())
    door.put("/dora/comfort", [Server("a:1")])
    assert door.answer("/dora/comfort/readings.json?x=1").body == b"a:1 GET /readings.json?x=1"
    assert door.routes() == {"/dora/comfort/": ["a:1"]}


def test_a_dead_instance_is_passed_over() -> None:
    door = MemoryFrontDoor(Two())
    door.put("/dora/comfort/", [Server("a:1"), Server("b:1")])
    assert {door.answer("/dora/comfort/").status for _ in range(4)} == {200}


def test_a_link_without_its_last_slash_is_sent_there() -> None:
    door = MemoryFrontDoor()
    door.put("/dora/comfort/", [])
    assert door.answer("/dora/comfort?x=1").headers["location"] == "/dora/comfort/?x=1"


def test_no_route_and_no_server_are_told_apart() -> None:
    door = MemoryFrontDoor()
    door.put("/dora/comfort/", [])
    assert (door.answer("/dora/other/").status, door.answer("/dora/comfort/").status) == (404, 503)


@pytest.mark.parametrize("promise", PROMISES, ids=lambda p: p.__name__)
def test_the_twin_keeps_the_promise(promise: Callable[[FrontDoor], None]) -> None:
    promise(MemoryFrontDoor())


def test_routes_run_out_with_a_reason() -> None:
    door = MemoryFrontDoor(routes=1)
    door.put("/dora/a/", [])
    door.put("/dora/a/", [Server("a:1")])
    with pytest.raises(Unavailable, match="taken"):
        door.put("/dora/b/", [])
