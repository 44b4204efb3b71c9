"""What an app's pages decide without a page: instances and their charts, releases to go back to, wishes that keep what was chosen."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from platform_ui import again, attention, running

NOW = datetime(2026, 11, 21, 14, 31, 7, tzinfo=UTC)
MIB = running.MIB


def instance(id: str, state: str = "HEALTHY", generation: int = 2, **more: Any) -> dict[str, Any]:
    facts = {"id": id, "service": "web", "generation": generation, "state_name": state, "node": "n1", "since": "2026-11-21T14:00:00Z"}
    return facts | {"reason": "", "restarts": 0} | more


def deployment(**more: Any) -> dict[str, Any]:
    steps = [{"generation": g, "state": "ASKED", "at": "2026-11-21T14:00:00Z", "release": f"r{g}", "version": f"1.{g}"} for g in (1, 2)]
    return {
        "id": "d", "name": "comfort", "release": {"id": "r2", "version": "1.2"}, "steps": steps,
        "wanted": {"generation": 2, "state": "RUNNING", "wish": "run"}, "serving": {"generation": 2, "health": "healthy"},
    } | more  # fmt: skip


def release(id: str, created: str = "2026-11-21T14:00:00Z") -> dict[str, Any]:
    return {"id": id, "created": created, "manifest": {"services": {"web": {}}}, "needs": [{"name": "temperature"}]}


def test_those_that_live_come_first_and_only_they_have_figures() -> None:
    figures = [{"instance": i, "cpu": 3.0, "memory": MIB} for i in ("aaaa", "bbbb")]
    some = running.rows([instance("bbbb", "GONE"), instance("cccc", generation=1), instance("aaaa")], figures)
    assert [(r["id"], bool(r["figure"]), r["name"]) for r in some] == [
        ("aaaa", True, "web.aaaa"), ("cccc", False, "web.cccc"), ("bbbb", False, "web.bbbb"),
    ]  # fmt: skip


def test_a_table_is_drawn_anew_for_a_state_and_not_for_a_figure() -> None:
    calm, busy = (running.rows([instance("aaaa")], [{"instance": "aaaa", "cpu": c, "memory": 1}]) for c in (1.0, 90.0))
    assert running.shape(calm) == running.shape(busy)
    assert running.shape(calm) != running.shape(running.rows([instance("aaaa", "UNHEALTHY")]))


def test_what_was_not_measured_is_a_gap() -> None:
    items = [("2026-11-21T14:30:30Z", 12.5, 64 * MIB), ("2026-11-21T14:31:01Z", 14, MIB)]
    told = {"aaaa": [{"time": time, "cpu": cpu, "memory": memory} for time, cpu, memory in items]}
    cpu, memory = running.charts(running.rows([instance("aaaa")]), told, running.SPANS["1h"], NOW)
    (line,) = cpu.data["series"]
    assert cpu.data["x"][-1] == int(NOW.timestamp()) // 10 * 10 and len(cpu.data["x"]) == 360
    assert line["data"][-4:] == [12.5, None, None, 14] and memory.data["series"][0]["data"][-4] == 64
    assert "between 12.5 and 14 percent" in cpu.said and "nothing measured yet" in running.charts([], {}, running.SPANS["1d"], NOW)[0].said


def test_a_chart_has_as_many_lines_as_there_are_colours_and_a_thing_keeps_its_own() -> None:
    some = running.rows([instance(f"i{n:03}", "GONE" if n < 5 else "HEALTHY") for n in range(11)])
    assert [r["id"] for r in running.drawn(some)] == [f"i{n:03}" for n in range(5, 11)]


@pytest.mark.parametrize(("part", "whole", "percent"), [(64, 128, 50), (300, 100, 100), (None, 5, 0), (3, None, 0), (1, 0, 0)])
def test_a_gauge_stays_in_its_measure(part: Any, whole: Any, percent: int) -> None:
    assert running.percent(part, whole) == percent


def test_a_release_is_served_wanted_failed_or_neither() -> None:
    waiting = deployment(wanted={"generation": 2, "state": "STARTING", "wish": "run"}, serving={"generation": 1, "health": "degraded"})
    assert [again.use_of({"id": r}, [waiting]) for r in ("r1", "r2", "r3")] == [("warn", "serving"), ("busy", "wanted"), ("", "")]
    failed = deployment(wanted={"generation": 2, "state": "FAILED", "wish": "run"}, serving={"generation": 0, "health": "none"})
    assert again.use_of({"id": "r2"}, [failed]) == ("bad", "failed")


def test_the_button_says_whether_it_goes_back() -> None:
    old, now, new = release("r1", "2026-11-20T10:00:00Z"), release("r2"), release("r3", "2026-11-22T10:00:00Z")
    assert [again.verb(r, deployment(), [new, now, old]) for r in (old, now, new)] == ["Roll back", "Deploy again", "Deploy"]


def test_a_quiet_device_says_who_is_bound_to_it() -> None:
    device = {"id": "dev", "name": "room", "sensors": [{}, {}]}
    bound = {"name": "comfort", "bindings": {"temperature": [{"device": "dev"}]}}
    told = attention.of_device(device, 840.0, [bound])
    assert told is not None and told.more == "Nothing for 14 min. It has 2 sensors, bound to comfort."
    assert attention.of_device(device, 30.0, [bound]) is None and attention.of_device(device, None) is None


def test_many_quiet_devices_are_one_line() -> None:
    devices = [({"id": f"d{n}", "name": f"room-{n}", "sensors": [{}]}, 700.0 + 60 * n) for n in range(5)]
    bound = {"name": "comfort", "bindings": {"temperature": [{"device": "d4"}]}}
    assert [a.name for a in attention.of_devices(devices[:3], [bound])] == ["room-0", "room-1", "room-2"]
    (told,) = attention.of_devices([*devices, ({"id": "x", "name": "well", "sensors": []}, 1.0)], [bound])
    assert (told.name, told.title, told.to) == ("5 devices", "are quiet", "/devices")
    assert told.more == "Nothing for 11 min or longer from room-0, room-1, room-2 and 2 others. Apps are bound to them: comfort."


def test_an_open_incident_needs_somebody() -> None:
    open_ = {"id": "i", "closed": None, "title": "storage is silent", "subsystem": "sensor_manager", "acknowledged_by": ""}
    told, seen = attention.of_incident(open_), attention.of_incident(open_ | {"acknowledged_by": "otto"})
    assert told is not None and (told.tone, told.href) == ("bad", "/incidents/i") and "Nobody has seen it" in told.more
    assert seen is not None and seen.tone == "warn" and "otto has seen it" in seen.more
    assert attention.of_incident(open_ | {"closed": "2026-11-21T14:00:00Z"}) is None
