"""The graph of an `up`: order, limits, failure."""

from __future__ import annotations

import threading

import pytest

from bootstrapper.graph import Outcome, Step, check, run


def nothing() -> None: ...


def told(name: str, outcome: Outcome | None) -> None: ...


class Ticking:
    """A clock that moves one second at each look."""

    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        self.at += 1
        return self.at


def test_a_step_runs_after_all_that_it_needs() -> None:
    seen: list[str] = []
    steps = [
        Step("c", lambda: seen.append("c"), ("a", "b")),
        Step("b", lambda: seen.append("b"), ("a",)),
        Step("a", lambda: seen.append("a")),
    ]
    done = run(steps, 2, Ticking(), told)
    assert seen == ["a", "b", "c"]
    assert set(done) == {"a", "b", "c"} and not any(o.error for o in done.values())


def test_after_a_failure_what_runs_ends_and_nothing_more_begins() -> None:
    failed, ended = threading.Event(), threading.Event()

    def fail() -> None:
        failed.set()
        raise OSError("no")

    def slow() -> None:
        assert failed.wait(5)
        ended.set()

    late = [Step("never", nothing, ("bad",)), Step("nor this", nothing, ("slow",))]
    done = run([Step("bad", fail), Step("slow", slow), *late], 9, Ticking(), told)
    assert isinstance(done["bad"].error, OSError)
    assert ended.is_set() and done["slow"].error is None
    assert "never" not in done and "nor this" not in done


def test_no_more_heavy_steps_than_allowed_at_a_time() -> None:
    now, most, lock = 0, 0, threading.Lock()
    together = threading.Barrier(2, timeout=5)

    def heavy() -> None:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        together.wait()
        with lock:
            now -= 1

    run([Step(f"h{n}", heavy, heavy=True) for n in range(6)], 2, Ticking(), told)
    assert most == 2


def test_light_steps_do_not_wait_for_heavy_ones() -> None:
    light = threading.Event()
    steps = [
        Step("heavy", lambda: None if light.wait(5) else pytest.fail("the light step waited"), heavy=True),
        Step("light", light.set),
    ]
    assert not any(o.error for o in run(steps, 1, Ticking(), told).values())


def test_every_start_and_end_is_told() -> None:
    said: list[tuple[str, bool]] = []
    run([Step("a", nothing), Step("b", nothing, ("a",))], 1, Ticking(), lambda n, o: said.append((n, o is None)))
    assert said == [("a", True), ("a", False), ("b", True), ("b", False)]


@pytest.mark.parametrize(
    ("steps", "word"),
    [
        ([Step("a", nothing, ("b",))], "no step does"),
        ([Step("a", nothing, ("b",)), Step("b", nothing, ("a",))], "circle"),
        ([Step("a", nothing), Step("a", nothing)], "twice"),
    ],
)
def test_a_graph_that_cannot_run_is_refused(steps: list[Step], word: str) -> None:
    with pytest.raises(ValueError, match=word):
        check(steps)


def test_what_many_wait_for_does_not_queue_behind_what_nobody_does() -> None:
    began: list[str] = []
    names = ("aside", "also aside", "first", "second", "third")
    needs = {"second": ("first",), "third": ("second",)}
    steps = [Step(name, lambda n=name: began.append(n), needs.get(name, ()), heavy=True) for name in names]  # type: ignore[misc]
    run(steps, 1, lambda: 0.0, lambda *_: None)
    assert began == ["first", "second", "aside", "also aside", "third"]
