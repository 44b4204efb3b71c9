"""The documents promise when many write at once, and the lease that is built on it; the same for every home."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

from backbone.documents import Declared, Documents, Found, Home
from backbone.lease import Lease
from contracts.errors import Taken

pytest_plugins = ["tests.support.document_homes"]


def race(n: int, work: Callable[[int], Any]) -> list[Any]:
    start = threading.Barrier(n)

    def run(i: int) -> Any:
        start.wait()
        return work(i)

    with ThreadPoolExecutor(n) as threads:
        return list(threads.map(run, range(n)))


def test_no_update_is_lost_by_compare_and_set(docs: Documents) -> None:
    docs.insert("a", {"n": 0})

    def add(_: int) -> None:
        for _ in range(25):
            while not ((got := docs.get("a")) and docs.replace("a", got.version, {"n": got.doc["n"] + 1})):
                pass

    race(8, add)
    assert docs.get("a") == Found("a", 201, {"n": 200})


def test_no_update_is_lost_by_update_if(docs: Documents) -> None:
    docs.insert("a", {"due": 0})

    def add(_: int) -> None:
        for _ in range(25):
            while not ((got := docs.get("a")) and docs.update_if("a", {"due": got.doc["due"]}, {"due": got.doc["due"] + 1})):
                pass

    race(8, add)
    assert docs.get("a") == Found("a", 201, {"due": 200})


def test_updates_of_different_fields_all_stay(docs: Documents) -> None:
    docs.insert("a", {})
    race(8, lambda i: [docs.update_if("a", {}, {f"f{i}": n}) for n in range(20)])
    assert docs.get("a") == Found("a", 161, {f"f{i}": 19 for i in range(8)})


def test_one_of_many_claims(docs: Documents) -> None:
    docs.insert("a", {"owner": "nobody"})
    won = [w for w in race(8, lambda i: docs.update_if("a", {"owner": "nobody"}, {"owner": f"w{i}"})) if w]
    assert won == [docs.get("a")]


def test_one_of_many_inserts_of_a_unique_key(docs: Documents) -> None:
    def put(i: int) -> bool:
        try:
            docs.insert(f"d{i}", {"name": "n"})
        except Taken:
            return False
        return True

    assert sum(race(8, put)) == 1


def test_many_may_open_the_same_collection_at_once(home: Home, declared: Declared) -> None:
    race(8, lambda i: home.collection(declared).insert(f"d{i}", {"name": f"n{i}"}))
    assert len(home.collection(declared).find({})) == 8


def test_lease(docs: Documents) -> None:
    now = [0.0]
    a, b = (Lease(docs, "leader", who, 3, lambda: now[0]) for who in "ab")
    assert (a.take(), b.take(), a.take()) == (1, None, 1)
    now[0] = 2.9
    assert b.take() is None  # b saw a's renewal only now
    assert a.held() and not b.held()
    now[0] = 3.0
    assert not a.held()  # a must stop before anyone may begin
    now[0] = 5.8
    assert b.take() is None
    now[0] = 5.9
    assert (b.take(), a.take()) == (2, None)  # the fence grew
    assert b.held() and not a.held()
    b.release()
    assert not b.held()
    assert (a.take(), b.take()) == (3, None)
    b.release()  # not b's to give up
    assert a.take() == 3


def test_a_renewal_is_one_write_and_survives_what_others_do(docs: Documents) -> None:
    asked: list[str] = []

    class Told:
        def __getattr__(self, verb: str) -> Any:
            asked.append(verb)
            return getattr(docs, verb)

    lease = Lease(cast(Documents, Told()), "leader", "a", 3, lambda: 0.0)
    assert lease.take() == 1
    asked.clear()
    assert (lease.take(), lease.take()) == (1, 1)
    assert asked == ["replace", "replace"]
    docs.update_if("leader", {}, {"fence": 1})  # a write that nobody knows of, as one whose answer was lost
    assert lease.take() == 1
    docs.delete("leader")
    assert (lease.take(), lease.take()) == (1, 1)


def test_one_of_many_takes_the_lease(docs: Documents) -> None:
    assert sorted(race(8, lambda i: Lease(docs, "leader", f"h{i}", 3, lambda: 0.0).take() or 0)) == [0] * 7 + [1]
