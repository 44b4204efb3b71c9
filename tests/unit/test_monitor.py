"""What the monitor makes of heartbeats, of silence, and of its own pauses."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from contracts.messages import Beat, IncidentClosed, ReplaceReplica
from monitor import model_incident as steps
from monitor.model import Heard, Known, expected, forget, heard, missing, remaining, state_of, successor, suspects, together
from monitor.model_incident import Incident

START = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def beat(replica: str, part: str = "deployer", **facts: bool) -> Beat:
    return Beat(replica=replica, incarnation=f"i-{replica}", subsystem=part, node="n1", **facts)


def known(**last: float) -> Known:
    """Replicas by their last heartbeat; each began at 0."""
    return Known({r: Heard(beat(r), at(0), at(s)) for r, s in last.items()})


def incident(kind: str = "replica", last: float = 10.0, **facts: object) -> Incident:
    made, _ = steps.silent("x", Heard(beat("a"), at(0), at(last)), at(last + 3))
    return made.model_copy(update={"kind": kind, **facts})


def test_the_first_and_the_newest_beat_are_remembered_by_incarnation() -> None:
    k = heard(heard(Known(), beat("a"), at(0)), beat("a"), at(1))
    assert (k.alive["a"].first, k.alive["a"].at) == (at(0), at(1))
    again = beat("a").model_copy(update={"incarnation": "i-2"})
    assert heard(k, again, at(2)).alive["a"].first == at(2)


def test_one_that_is_leaving_is_not_missed_and_stays_gone() -> None:
    k = heard(heard(Known(), beat("a"), at(0)), beat("a", leaving=True), at(1))
    assert not k.alive and list(k.left) == ["a/i-a"]
    k = heard(k, beat("a"), at(1.5))
    assert not k.alive and suspects(k, at(9), at(0)) == []
    assert heard(k, beat("b"), at(1000)).left == {}


@pytest.mark.parametrize(("now", "state"), [(2.9, "ready"), (3.0, "silent")])
def test_three_seconds_are_suspicion(now: float, state: str) -> None:
    k = known(a=0)
    assert state_of(k.alive["a"], at(now)) == state and bool(suspects(k, at(now), at(-9))) == (state == "silent")


def test_silence_counts_only_while_the_monitor_listened() -> None:
    assert suspects(known(a=0), at(8), at(6)) == [] and suspects(known(a=0), at(9), at(6))


@pytest.mark.parametrize(
    ("last", "many"),
    [
        ({"a": 0.0, "b": 0.4, "c": 0.9, "d": 3.0}, 3),
        ({"a": 0.0, "b": 0.4, "c": 0.9, "d": 3.0, "e": 3.0, "f": 3.0}, 0),
        ({"a": 0.0, "b": 0.4, "c": 3.0}, 0),
        ({"a": 0.0, "b": -2.0, "c": -4.0, "d": -6.0}, 0),
        ({"a": 1.0, "b": 1.0, "c": 1.0}, 0),
    ],
    ids=["more than half", "just half", "too few", "one after the other", "not yet"],
)
def test_a_silence_of_all(last: dict[str, float], many: int) -> None:
    assert len(together(known(**last), at(3.2))) == many


def test_a_silent_one_is_forgotten_unless_an_incident_is_about_it() -> None:
    k = known(a=0, b=0, c=50)
    assert set(forget(k, at(60), ["b"]).alive) == {"b", "c"}


def test_a_successor_began_later_and_is_nobody_elses() -> None:
    began = (("a", "x", 1), ("b", "x", 5), ("c", "y", 6), ("d", "x", 7))
    k = Known({r: Heard(beat(r, part), at(first), at(9)) for r, part, first in began})
    found = successor(k, ("x", ""), at(4), [])
    assert found and found.beat.replica == "b"
    assert (found := successor(k, ("x", ""), at(4), ["b"])) and found.beat.replica == "d"
    assert successor(k, ("x", ""), at(8), []) is None


def test_an_incident_goes_on_until_something_is_heard() -> None:
    assert steps.ending(incident(), known(a=10), at(14), []) is None
    done = steps.ending(incident(), known(a=15), at(15), [])
    assert done and done[0].outcome == "recovered"
    assert steps.ending(incident(killed=True), known(a=10.5), at(15), []) is None, "a late beat of one that was killed"


def test_a_new_heartbeat_ends_it() -> None:
    k = Known({"b": Heard(beat("b"), at(14), at(14))})
    done = steps.ending(incident(), k, at(14.5), [])
    assert done and (done[0].outcome, done[0].successor) == ("replaced", "b")
    (said,) = done[1]
    assert isinstance(said, IncidentClosed) and said.seconds == 4.5


def test_one_that_left_in_order_ends_it() -> None:
    done = steps.ending(incident(), Known({}, {"a/i-a": at(11)}), at(14), [])
    assert done and done[0].outcome == "stopped"


def test_in_a_rollout_the_successor_came_first() -> None:
    k = Known({"b": Heard(beat("b"), at(4), at(14))})
    assert steps.ending(incident(), k, at(14), []) is None
    done = steps.ending(incident(ended=True), k, at(14), [])
    assert done and done[0].successor == "b"


def test_an_ordered_restart_waits_for_its_order_and_for_the_old_one_to_end() -> None:
    both = Known({"a": Heard(beat("a"), at(0), at(12)), "b": Heard(beat("b"), at(11), at(12))})
    assert steps.ending(incident("restart", tries=1), both, at(12), []) is None
    later = Known({**both.alive, "c": Heard(beat("c"), at(13), at(13))})
    assert steps.ending(incident("restart"), later, at(13), []) is None
    done = steps.ending(incident("restart", tries=1), later, at(13), [])
    assert done and done[0].successor == "c"


def test_a_line_is_noted_once() -> None:
    step = steps.noted(incident(), at(14), "its process was killed", killed=True)
    assert step and step[0].killed and len(step[1]) == 1
    assert steps.noted(step[0], at(15), "its process was killed", killed=True) is None


def test_an_order_says_who_why_and_under_which_number() -> None:
    changed, said = steps.tried(incident(), at(13), 7)
    order = said[-1]
    assert isinstance(order, ReplaceReplica) and order.reason == "silent for 3.0 s"
    assert (order.replica, order.attempt, order.fence) == ("a", 1, 7)
    assert (changed.tries, changed.tried) == (1, at(13)) and not order.ordered


@pytest.mark.parametrize(("tries", "pause"), [(1, 5), (2, 10), (3, 20), (4, 40), (5, 60), (50, 60)])
def test_the_pauses_grow_to_a_minute_and_stay_there(tries: int, pause: int) -> None:
    mine = [incident(tries=tries, tried=at(100))]
    assert not steps.due(mine, at(100 + pause - 0.1)) and steps.due(mine, at(100 + pause))


def test_the_pauses_are_of_a_part_and_begin_anew_after_calm() -> None:
    mine = [incident(tries=1, tried=at(100)), incident(tries=1, tried=at(103))]
    assert not steps.due(mine, at(112)) and steps.due(mine, at(113))
    assert steps.due([incident(tries=9, tried=at(0))], at(180)) and steps.due([incident()], at(0))


def test_beats_of_another_installation_are_not_ours() -> None:
    from backbone.memory import MemoryPlatform
    from monitor.leading import Monitor

    backbone = MemoryPlatform().backbone("monitor")
    nothing: Any = None  # neither store nor lease has a part in hearing
    monitor = Monitor(backbone, nothing, nothing, nothing, nothing)
    monitor.begin()
    beats = [beat("mine").model_copy(update={"installation": "memory"}), beat("theirs").model_copy(update={"installation": "other"})]
    backbone.bus.send([(s.topic, s.key, s.envelope) for s in backbone.wrapper.wrap(beats)])
    monitor.listen()
    assert [one.beat.replica for one in monitor.known.alive.values()] == ["mine"]


def test_a_part_of_which_nobody_is_heard_is_missed_by_its_newest_replica() -> None:
    stored = {
        ("x", ""): (("old", "i-old", "n1"), ("new", "i-new", "n1")),
        ("y", ""): (("b", "i-b", "n1"),), ("z", "r"): (("c", "i-c", "n1"),),
    }  # fmt: skip
    k = Known({"d": Heard(beat("d", "y"), at(1), at(9))}, {"c/i-c": at(5)})
    (lost,) = missing(stored, k, at(0))
    assert (lost.beat.replica, lost.part, lost.at, lost.recalled) == ("new", ("x", ""), at(0), True)
    assert missing(stored, Known(k.alive, {**k.left, "new/i-new": at(6)}), at(0))[0].beat.replica == "old"


def test_what_is_written_down_is_the_newest_last() -> None:
    k = Known({r: Heard(beat(r, "x"), at(first), at(9)) for r, first in (("a", 5), ("b", 3))})
    assert expected(k) == {("x", ""): (("b", "i-b", "n1"), ("a", "i-a", "n1"))}
    assert remaining(expected(k), Known({}, {"a/i-a": at(9), "b/i-b": at(9)})) == {}
