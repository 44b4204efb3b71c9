"""What every front door does alike: run against the twin and against HAProxy."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from contracts.errors import Invalid
from gateway.front_door import FrontDoor, Server

A, B, C = (Server(f"10.0.0.{n}:80", 100) for n in (1, 2, 3))


def what_was_put_is_served(door: FrontDoor) -> None:
    door.put("/ws/app", [B, A])
    assert door.table()["/ws/app/"] == (A, B)


def putting_again_replaces(door: FrontDoor) -> None:
    door.put("/ws/app/", [A, B])
    door.put("/ws/app/", [Server(B.address, 7), C])
    door.put("/ws/app/", [Server(B.address, 7), C])
    assert door.table()["/ws/app/"] == (Server(B.address, 7), C)


def a_path_may_have_no_servers(door: FrontDoor) -> None:
    door.put("/ws/app/", [A])
    door.put("/ws/app/", [])
    assert door.table()["/ws/app/"] == ()


def paths_do_not_touch_each_other(door: FrontDoor) -> None:
    door.put("/ws/app/", [A])
    door.put("/ws/app2/", [B])
    door.drop("/ws/app/")
    assert door.table() == {"/ws/app2/": (B,)}


def dropping_may_be_repeated(door: FrontDoor) -> None:
    door.put("/ws/app/", [A])
    door.drop("/ws/app/")
    door.drop("/ws/app/")
    door.drop("/ws/never/")
    assert door.table() == {}


def servers_beyond_the_slots_are_left_out(door: FrontDoor) -> None:
    many = [Server(f"10.0.0.{n}:80", 1) for n in range(1, 12)]
    door.put("/ws/app/", many)
    assert door.table()["/ws/app/"] == tuple(many[:8])
    door.put("/ws/app/", many[3:])
    assert door.table()["/ws/app/"] == tuple(sorted(many[3:11]))
    door.tend()
    assert len(door.table()["/ws/app/"]) == 8


def what_is_no_link_is_refused(door: FrontDoor) -> None:
    for path in ("/", "/ws/", "/ws/ap p/", "/ws/app/x/", "/ws/a;b/", "/Ws/app/", "/ws/app\nadd map/"):
        with pytest.raises(Invalid):
            door.put(path, [A])
    assert door.table() == {}


def revoking_may_be_repeated_and_taken_back(door: FrontDoor) -> None:
    door.revoke({"t1": "2099-01-01T00:00:00Z", "t2": "2099-01-01T00:00:00Z"})
    door.revoke({"t1": "2099-01-01T00:00:00Z", "t2": "2099-01-01T00:00:00Z"})
    door.revoke({"t2": "2099-01-01T00:00:00Z"})
    door.revoke({})


PROMISES: tuple[Callable[[FrontDoor], None], ...] = (
    what_was_put_is_served, putting_again_replaces, a_path_may_have_no_servers, paths_do_not_touch_each_other,
    dropping_may_be_repeated, servers_beyond_the_slots_are_left_out, what_is_no_link_is_refused,
    revoking_may_be_repeated_and_taken_back,
)  # fmt: skip


def emptied(door: FrontDoor) -> FrontDoor:
    for path in door.table():
        door.drop(path)
    return door
