"""Documents whose time has come are found at once, and nothing is asked while none can be."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from backbone.clock import text_of
from backbone.documents import Declared
from backbone.due import REST, Due
from backbone.kept import Kept
from backbone.memory import MemoryPlatform
from gateway.model import owners

NOUNS = Declared("nouns", {"due": str})


class Counted:
    """A collection that counts its looks."""

    def __init__(self) -> None:
        backbone = MemoryPlatform().backbone("identity")
        self.clock, self.kept, self.looks = backbone.clock, backbone.kept(NOUNS), 0
        self.due = Due(self.kept)
        find = self.kept.find

        def counted(*args: Any, **more: Any) -> Any:
            self.looks += 1
            self.between()
            return find(*args, **more)

        self.kept.find = counted  # type: ignore[method-assign]

    def between(self) -> None:
        """What happens while it looks."""

    def at(self, seconds: float) -> datetime:
        return self.clock.now() + timedelta(seconds=seconds)

    def now(self, seconds: float = 0.0) -> list[str]:
        return [doc["id"] for doc in self.due.now(self.at(seconds))]


def put(kept: Kept, id: str, at: datetime | None) -> None:
    kept.insert(id, {"due": text_of(at) if at else None})


def test_nothing_is_asked_before_the_earliest_time() -> None:
    house = Counted()
    put(house.kept, "later", house.at(3))
    put(house.kept, "rests", None)
    assert [house.now(n / 2) for n in range(6)] == [[]] * 6
    assert house.looks == 1
    assert house.now(3) == ["later"]


def test_what_is_due_comes_again_until_it_is_changed() -> None:
    house = Counted()
    put(house.kept, "b", house.at(-1))
    put(house.kept, "a", house.at(-2))
    assert house.now() == house.now() == ["a", "b"]
    house.kept.change("a", lambda doc: (doc | {"due": None}, ()))
    house.due.changed()
    assert house.now() == ["b"]


def test_a_change_of_ours_is_seen_at_once_and_anothers_soon() -> None:
    house = Counted()
    assert house.now() == []
    put(house.kept, "anothers", house.at(-1))
    assert house.now(1) == []
    assert house.now(REST.total_seconds()) == ["anothers"]
    house = Counted()
    assert house.now() == []
    put(house.kept, "ours", house.at(-1))
    house.due.changed()
    assert house.now(0.1) == ["ours"]


def test_a_change_while_it_looks_is_not_slept_over() -> None:
    house = Counted()
    house.between = house.due.changed  # type: ignore[method-assign]
    assert house.now() == []
    assert house.now(0.1) == [] and house.looks == 2


def test_a_paths_owner_is_the_newest_that_wants_it() -> None:
    routes = [
        {"id": "1", "path": "/a/", "weights": {"1": 1}}, {"id": "3", "path": "/a/", "weights": {"1": 1}},
        {"id": "2", "path": "/a/", "weights": {"1": 1}}, {"id": "4", "path": "/a/", "weights": {}},
        {"id": "5", "path": "/b/", "weights": {}},
    ]  # fmt: skip
    assert owners(routes) == {"/a/": "3"}
