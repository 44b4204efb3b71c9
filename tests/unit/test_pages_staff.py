"""What staff's pages decide without a page: filters and their address, rows of lines, beats, an incident's steps, nodes, attention."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from backbone.clock import ManualClock
from contracts.errors import Refused, Unavailable
from platform_ui import logs, nodes_shown, staff
from platform_ui.asking import Part
from platform_ui.beats import Beats
from platform_ui.lasting import Lasting
from platform_ui.people_shown import given, shown

NOW = datetime(2026, 11, 21, 14, 30, tzinfo=UTC)
TRACE = "a1f0c9d27be84e0f9c55d3e2b7046a18"


def at(seconds: float) -> str:
    return (NOW + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def line(**facts: Any) -> dict[str, Any]:
    usual = {"id": "1", "time": at(0), "kind": "subsystem", "level": "info", "text": "batch_stored", "service": "sensor_manager.storage"}
    return {**usual, "app": "", "instance": "", "facts": {}, **facts}


@pytest.mark.parametrize(
    "address", ["", "node=n1&level=error&text=x+y", "range=6h&order=newest", f"correlation={TRACE}&since={at(-60)}&until={at(0)}"]
)
def test_the_address_holds_the_filters(address: str) -> None:
    from urllib.parse import parse_qsl

    filters = logs.read(dict(parse_qsl(address)))
    again = logs.read(dict(parse_qsl(filters.href().partition("?")[2])))
    assert again == filters and filters.live is (address == "" or address.startswith("node"))


def test_what_is_not_known_of_is_left_out_of_the_filters() -> None:
    filters = logs.read({"level": "loud", "order": "random", "range": "9y", "password": "x", "node": " "})
    assert filters == logs.Filters()


def test_a_time_of_its_own_has_an_end_so_it_is_no_tail() -> None:
    filters = logs.read({"since": at(-60), "order": "tail"})
    assert filters.order == "oldest" and filters.asked(NOW) == {"since": at(-60), "until": ""}
    assert filters.without("since").live
    assert logs.read({}).asked(NOW) == {"since": at(-3600)}


def test_what_is_written_into_the_search_becomes_filters() -> None:
    found = logs.searched(logs.Filters(), f"service=monitor no answer {TRACE} status=200")
    assert found.where == {"service": "monitor", "correlation": TRACE} and found.text == "no answer status=200"


def test_each_filter_is_a_chip_that_drops_it() -> None:
    filters = logs.read({"node": "n1", "kind": "app", "text": "boom"})
    assert [(c.name, c.value) for c in filters.chips] == [("kind", "apps"), ("node", "n1"), ("text", "boom")]
    assert filters.chips[1].href == "/logs?kind=app&text=boom"


def test_a_row_says_where_a_line_is_from_and_marks_what_was_searched() -> None:
    row = logs.row(line(text="a <b> batch", level="warning", facts={"rows": 3, "none": None, "long": "x" * 300}), "BATCH")
    assert (row["source"], row["level"], row["tone"]) == ("sensor_manager storage", "warn", "warn")
    assert str(row["text"]) == "a &lt;b&gt; <mark>batch</mark>"
    assert row["facts"][0] == ("rows", "3") and len(row["facts"]) == 2 and row["facts"][1][1].endswith("…")
    assert logs.row(line(kind="app", app="comfort", service="web"))["source"] == "comfort web"
    assert logs.row(line(kind="build", app="comfort"))["source"] == "build comfort"


def test_facts_that_a_text_repeats_are_shown_once() -> None:
    row = logs.row(line(text='ended why="no container" code=1', facts={"why": "no container", "code": 1}), "container")
    assert str(row["text"]) == "ended" and [(k, str(v)) for k, v in row["facts"]] == [
        ("why", "no <mark>container</mark>"), ("code", "1"),
    ]  # fmt: skip


def test_the_histogram_has_the_worst_at_the_bottom_and_noughts_between() -> None:
    told = {"step": 60, "items": [{"time": at(-180), "info": 5, "warning": 2, "error": 1, "critical": 1}, {"time": at(-60), "debug": 3}]}
    chart = logs.histogram(told, logs.read({"since": at(-240), "until": at(0)}), NOW)
    whole, warn, bad = (s["data"] for s in chart["series"])
    assert (whole, warn, bad) == ([0, 9, 0, 3, 0], [0, 4, 0, 0, 0], [0, 2, 0, 0, 0])
    assert chart["series"][1]["raw"] == [0, 2, 0, 0, 0] and len(chart["x"]) == 5
    assert logs.total(told) == 12 and "2 of them warnings and 2 errors" in logs.said(told)
    assert logs.histogram({"step": 30, "items": []}, logs.Filters(), NOW)["max"] > 0


def test_lines_to_take_along_are_one_each() -> None:
    assert logs.plain([line(facts={"a": "x\ny"})]) == f"{at(0)} info sensor_manager.storage batch_stored a=x y\n"


def replica(id: str, age: float, state: str = "ready", **more: Any) -> dict[str, Any]:
    return {"replica": id, "node": "n1", "state": state, "reasons": [], "last": at(-age), "since": at(-600), **more}


def part(*replicas: dict[str, Any], **more: Any) -> dict[str, Any]:
    usual = {"subsystem": "sensor_manager", "role": "storage", "restarts": 0, "incident": "", "incident_open": False}
    return {**usual, "replicas": list(replicas), **more}


def test_beats_are_what_somebody_saw_at_most_one_a_second() -> None:
    beats = Beats()
    for second, age in enumerate((0.4, 2.0, 3.5)):
        for twice in (0.0, 0.1):
            now = NOW + timedelta(seconds=second + twice)
            beats.see([{"replica": "a", "last": (now - timedelta(seconds=age)).isoformat()}], now)
    assert beats.of("a") == ["", "late", "miss"] and beats.of("b") == []
    later = NOW + timedelta(seconds=30)
    beats.see([{"replica": "a", "last": later.isoformat()}], later)
    assert beats.of("a") == [""], "nothing is known of the time in which nobody looked"


def test_rows_are_replicas_with_their_figures() -> None:
    some = [part(replica("a", 0.4), replica("b", 5, "silent"), incident="i", incident_open=True)]
    rows = staff.rows(some, {"a": {"cpu": 1.0, "memory": 5}}, lambda _: [], NOW)
    assert [(r["whole"], r["tone"], r["alone"], r["incident"]) for r in rows] == [
        ("sensor_manager storage", "ok", False, "i"), ("sensor_manager storage", "bad", False, "i"),
    ]  # fmt: skip
    older = staff.rows(some, {}, lambda _: ["late"], NOW + timedelta(seconds=1))
    assert staff.shape(rows) == staff.shape(older), "the table is drawn anew only where somebody came or went"
    assert staff.shape(rows) != staff.shape(rows[:1])
    assert rows[0]["figure"]["cpu"] == 1.0 and rows[1]["figure"] is None and round(rows[1]["age"]) == 5
    assert staff.summary(some, [{"state": "away"}]) == "1 subsystem, 2 replicas on 1 node. 1 replica not ready. 1 backing service not up."


def incident(**more: Any) -> dict[str, Any]:
    told = [
        (-8.3, "its last heartbeat"), (-5.3, "no heartbeat of replica r for 3.0 s"),
        (-5.2, "attempt 1: its node's agent is asked to replace it"), (0, "replaced: a new heartbeat is heard"),
    ]  # fmt: skip
    timeline = [{"at": at(s), "text": text, "since_before": 3.0} for s, text in told]
    usual = {"id": "i", "kind": "replica", "title": "sensor_manager storage fell silent", "subsystem": "sensor_manager", "role": "storage"}
    more = {"opened": at(-5.3), "closed": at(0), "seconds": 8.3, "timeline": timeline, "acknowledged_by": "", "replica": "r", **more}
    return {**usual, **more}


def test_an_incidents_steps_say_what_came_of_each() -> None:
    steps = staff.steps(incident())
    assert [s.tone for s in steps] == ["", "warn", "busy", "ok"]
    assert (steps[2].title, steps[2].more) == ("Attempt 1", "Its node's agent is asked to replace it")
    assert steps[0].since is None and steps[1].since == 3.0


def test_an_incidents_lines_are_of_its_part_and_time() -> None:
    asked = staff.lines_of(incident(), NOW)
    assert asked == {"kind": "subsystem", "service": "sensor_manager.storage", "since": at(-18.3), "until": at(10)}
    assert set(staff.lines_of(incident(), NOW, whole=True)) == {"since", "until"}
    assert staff.lines_of(incident(kind="backing", subsystem="kafka", role=""), NOW)["service"] == "kafka"


def test_what_needs_staff_stands_once() -> None:
    parts = Part([part(replica("r", 9, "silent")), part(replica("x", 0, "waiting", reasons=["It reads keys."]), role="intake")])
    backing = Part([{"name": "kafka", "state": "away", "reason": "It refuses."}])
    node = nodes_shown.shown({"id": "n", "name": "vm1", "heard": False, "firewall": True, "reason": "", "cpus": 2, "memory": 1})
    found = staff.attention(parts, backing, Part([node]), Part([incident(closed=None, seconds=None)]), NOW)
    assert [(a.name, a.tone) for a in found] == [
        ("sensor_manager storage fell silent", "bad"), ("sensor_manager intake", "warn"), ("Kafka", "bad"), ("vm1", "bad"),
    ]  # fmt: skip
    away = staff.attention(Part([], "No answer.", at(-30)), backing, Part([]), Part([]), NOW)
    assert "Last seen 30 s ago" in away[-1].more
    assert [line["tone"] for line in staff.standing(parts, backing, Part([node]), Part([]))] == ["warn", "warn", "warn", "ok"]


FIGURES = {
    "time": at(0), "cpu": 88.4, "memory_used": 6e9, "memory_total": 8e9, "load": 1.5, "disk_used": 30e9, "disk_total": 100e9,
    "received": 1500.0, "sent": 0.0,
}  # fmt: skip
NODE = {
    "id": "n", "name": "vm1", "heard": True, "firewall": True, "reason": "", "cpus": 2, "memory": 8e9, "figures": FIGURES, "instances": 1,
}  # fmt: skip


@pytest.mark.parametrize(
    ("facts", "word"),
    [({}, "ready"), ({"heard": False}, "silent"), ({"firewall": False}, "without a firewall"), ({"figures": None}, "without figures")],
)
def test_a_node_says_how_it_is(facts: dict[str, Any], word: str) -> None:
    assert nodes_shown.shown({**NODE, **facts})["word"] == word


def test_meters_turn_with_what_is_left() -> None:
    assert [(m.name, m.percent, m.tone) for m in nodes_shown.meters(NODE)] == [("CPU", 88, "bad"), ("Memory", 75, "warn"), ("Disk", 30, "")]
    assert nodes_shown.meters({**NODE, "figures": None}) == []


def test_a_nodes_charts_have_gaps_where_nothing_was_measured() -> None:
    items = [{"time": at(-40), "cpu": 10, "memory": 4e9, "load": 1, "disk": None, "received": 2000, "sent": 1000}]
    charts = {c.key: c for c in nodes_shown.charts(NODE, items, nodes_shown.SPANS["1h"], NOW)}
    assert list(charts) == ["cpu", "memory", "load", "network"], "a disk that is not seen is not drawn"
    assert charts["cpu"].data["series"][0]["data"][-3:] == [10.0, None, None]
    assert [s["data"][-3] for s in charts["network"].data["series"]] == [2.0, 1.0]
    point = nodes_shown.point({"time": at(0), "of_node": FIGURES})
    assert point["network"] == {"received": 1.5, "sent": 0.0} and point["disk"] == {"disk": 30.0}
    assert set(charts) <= set(point)


def test_what_runs_on_a_node_is_apps_first_then_the_platforms_own() -> None:
    app = {"id": "i", "workspace": "dora", "deployment": "d", "service": "web", "generation": 1, "state_name": "HEALTHY"}
    figures = [{"instance": "k", "kind": "backing"}, {"instance": "i", "kind": "app"}, {"instance": "m", "kind": "subsystem"}]
    known = staff.known([part(replica("m", 0.2))], [{"name": "k", "state": "away", "since": at(-9)}])
    rows = nodes_shown.running([app, {**app, "id": "gone", "ended": at(0)}], figures, known)
    assert [r["state"] for r in rows] == ["healthy", "ready", "away"] and rows[1]["since"] == at(-600)
    assert [(r["id"], r["kind"]) for r in rows] == [("i", "app"), ("m", "subsystem"), ("k", "backing")] and rows[0]["figure"]


def test_what_was_seen_stands_with_its_age() -> None:
    clock = ManualClock()
    lasting = Lasting(clock)

    def away() -> Any:
        raise Unavailable("It is being restarted.")

    def over() -> Any:
        raise Refused("The session is over.")

    assert lasting.part("x", away, []) == Part([], "It is being restarted.", "")
    assert lasting.part("x", lambda: [1], []) == Part([1])
    told = lasting.part("x", away, [])
    assert told.value == [1] and told.away and told.since
    with pytest.raises(Refused):
        lasting.part("x", over, [])


def test_people_are_told_by_their_groups() -> None:
    ada = shown({"username": "ada", "roles": ["admin", "user"], "groups": ["admin", "ws-team"]})
    assert (ada["role"], ada["teams"], ada["others"]) == ("admin", ["team"], ["admin"])
    assert [g["people"] for g in given([ada])] == [1, 0, 0, 1]
