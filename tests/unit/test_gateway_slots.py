"""How slots become what is wanted, and how a route is counted."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from contracts.messages import InstanceSeen, RouteWanted
from gateway import model
from gateway.front_door import Server
from gateway.slots import DRAIN, FREE, READY, Slot, Step, done, serving, steps


def slot(n: int, address: str = "127.0.0.1:1", state: str = FREE, weight: int = 1, sessions: int = 0) -> Slot:
    return Slot(f"s{n}", address, weight, state, sessions)


def follow(slots: list[Slot], taken: list[Step]) -> list[Slot]:
    """What HAProxy would then have."""
    by_name = {s.name: s for s in slots}
    for step in taken:
        old = by_name[step.slot]
        by_name[step.slot] = Slot(old.name, step.address or old.address, step.weight or old.weight, step.state, old.sessions)
    return list(by_name.values())


def test_new_servers_come_in_before_old_ones_drain() -> None:
    slots = [slot(1, "a:1", READY, 100), slot(2)]
    assert steps(slots, [Server("b:1", 100)]) == [Step("s2", READY, "b:1", 100), Step("s1", DRAIN)]


def test_what_is_there_already_is_left_alone() -> None:
    assert steps([slot(1, "a:1", READY, 100), slot(2)], [Server("a:1", 100)]) == []


def test_a_server_that_drains_and_is_wanted_again_comes_back() -> None:
    assert steps([slot(1, "a:1", DRAIN, 100, 5)], [Server("a:1", 50)]) == [Step("s1", READY, "", 50)]


def test_without_a_free_slot_the_one_with_the_fewest_sessions_is_used_again() -> None:
    slots = [slot(1, "a:1", DRAIN, 1, 9), slot(2, "b:1", DRAIN, 1, 2), slot(3, "c:1", READY)]
    assert steps(slots, [Server("c:1", 1), Server("d:1", 1)]) == [Step("s2", READY, "d:1", 1)]


def test_what_has_drained_is_free() -> None:
    assert done([slot(1, "a:1", DRAIN, sessions=1), slot(2, "b:1", DRAIN), slot(3, "c:1", READY)]) == [Step("s2", FREE)]


ADDRESSES = st.lists(st.sampled_from([f"10.0.0.{n}:80" for n in range(12)]), unique=True, max_size=8)


@given(st.lists(ADDRESSES, max_size=6))
def test_any_series_of_wishes_ends_as_the_last_one(wishes: list[list[str]]) -> None:
    slots = [slot(n) for n in range(8)]
    for wish in wishes:
        wanted = [Server(a, 100) for a in wish]
        slots = follow(slots, steps(slots, wanted))
        assert serving(slots) == tuple(sorted(wanted))
        assert steps(slots, wanted) == []


def seen(instance: str, generation: int, state: int, address: str = "") -> InstanceSeen:
    return InstanceSeen(
        deployment="d",
        generation=generation,
        service="web",
        instance=instance,
        incarnation="1",
        node="n",
        address=address or f"10.0.0.1:{instance}",
        state=state,
        public=True,
    )


def route(*news: InstanceSeen, weights: dict[int, int] | None = None, generation: int = 1) -> model.Route:
    wish = RouteWanted(deployment="d", generation=generation, path="/dora/comfort", weights=weights or {1: 100})
    found = model.wanted(model.empty(), wish)
    assert found is not None
    for one in news:
        found = model.noticed(found, one) or found
    return found


def test_only_healthy_instances_of_wanted_generations_serve() -> None:
    have = route(seen("1", 1, 200), seen("2", 1, 100), seen("3", 2, 200), seen("4", 1, 300))
    assert [s.address for s in model.servers(have)] == ["10.0.0.1:1"]


def test_a_generations_weight_is_shared_by_its_instances() -> None:
    have = route(seen("1", 1, 200), seen("2", 2, 200), seen("3", 2, 200), weights={1: 50, 2: 50}, generation=2)
    assert {s.address: s.weight for s in model.servers(have)} == {"10.0.0.1:1": 256, "10.0.0.1:2": 128, "10.0.0.1:3": 128}


def test_weight_zero_takes_no_traffic_and_is_counted_as_none() -> None:
    have = route(seen("1", 1, 200), seen("2", 2, 200), weights={1: 0, 2: 100}, generation=2)
    assert [s.address for s in model.servers(have)] == ["10.0.0.1:2"]
    assert model.seen(have, "d", model.servers(have), "https://apps").servers == {1: 0, 2: 1}


def test_gone_stays_gone_when_older_news_comes_again() -> None:
    have = route(seen("1", 1, 200), seen("1", 1, 900))
    assert model.servers(have) == []
    assert model.noticed(have, seen("1", 1, 200)) is None


def test_an_older_wish_changes_nothing() -> None:
    have = route(weights={3: 100}, generation=3)
    assert model.wanted(have, RouteWanted(deployment="d", generation=2, path="/dora/comfort/", weights={2: 100})) is None
