"""Build records only grow, of two results the first stays; what may be collected."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from contracts.states import Build as State
from deployer.build import Build
from deployer.collect import superfluous

NOW = datetime(2026, 1, 5, 8, tzinfo=UTC)


def build(release: str = "r1", app: str = "comfort", state: State = State.ACCEPTED, age: int = 0) -> Build:
    return Build(release=release, app=app, workspace="ada", state=state, asked=NOW - timedelta(seconds=age))


def test_a_build_begun_again_says_no_state_twice() -> None:
    first = build().moved(State.BUILDING, NOW)
    assert first and [m.state for m in first[1]] == [State.BUILDING]  # type: ignore[attr-defined]
    assert first[0].moved(State.FETCHING, NOW) is None
    assert first[0].moved(State.BUILDING, NOW) is None


def test_the_first_of_two_results_counts() -> None:
    done = build().built({"web": "r/apps@sha256:1"}, (), NOW + timedelta(seconds=2))
    assert done and done[0].seconds(NOW) == 2.0
    assert done[0].failed("late", "", NOW) is None
    assert done[0].built({}, (), NOW) is None


def test_the_newest_two_of_each_app_and_all_in_use_are_kept() -> None:
    builds = [build(f"r{n}", state=State.BUILT, age=n) for n in range(5)] + [build("x", "other", State.BUILT, age=99)]
    assert [b.release for b in superfluous(builds, {"r3"})] == ["r2", "r4"]
