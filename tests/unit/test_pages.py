"""What pages decide without a page: lines, steps, ages, gaps, attention."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest

from contracts.errors import Invalid
from contracts.manifest import read_manifest
from platform_ui import attention, device_form, history, lines, model, vendor
from platform_ui.guard import Guard
from platform_ui.lately import lately
from platform_ui.rollouts import before
from platform_ui.spark import spark

AT = "2026-11-21T14:31:0{}Z"


def plain(html: object) -> str:
    return re.sub(r"<[^>]+>", "", str(html))


@pytest.mark.parametrize(
    ("line", "path", "value", "hint", "fixed"),
    [
        ("name: Comfort", "name", "Comfort", "name: comfort", "name: comfort"),
        ("    runtime: pyhton  # mine", "services.web.runtime", "pyhton", "runtime: python", "    runtime: python  # mine"),
        ("  health: {path: up, within: 20s}", "services.web.health.path", "up", "path: /up", "  health: {path: /up, within: 20s}"),
        ('  t: {kind: "temp", where: "hq/**"}', "sensors.t.kind", "temp", "kind: temperature", '  t: {kind: temperature, where: "hq/**"}'),
        ("services:", "services.web.command", None, "command: python app.py", ""),
        ("  web: {command: python app.py}", "services.web.port", None, "port: 8000", ""),
        ("tags: [a, B_]", "tags.1", "B_", "b-", "tags: [a, b-]"),
    ],
)
def test_a_line_is_corrected_where_one_thing_is_to_replace(line: str, path: str, value: Any, hint: str, fixed: str) -> None:
    assert lines.corrected(line, {"path": path, "value": value}, hint) == fixed


def test_all_corrections_together_are_a_manifest_that_passes() -> None:
    text = "berth: 1\nname: Comfort\nversion: 1.0.0\nservices:\n  web:\n    runtime: pyhton\n    command: python app.py\n    port: 8000\n"
    with pytest.raises(Invalid) as wrong:
        read_manifest(text, files=["app.py"], kinds=[])
    found = lines.findings([p.model_dump() for p in wrong.value.problems], text)
    assert read_manifest(lines.corrected_text(text, found), files=["app.py"], kinds=[]).name == "comfort"


def test_a_manifest_is_only_whole_again_when_every_problem_has_its_line() -> None:
    found = lines.findings([{"path": "name", "line": 1, "value": "A", "rule": "x", "hint": "Choose another name."}], "name: A\n")
    assert found[0].why == "Choose another name." and not found[0].copy and lines.corrected_text("name: A\n", found) == ""


def test_what_is_written_in_a_manifest_stays_text() -> None:
    (line,) = lines.lines("name: <b>x</b> & 'q' # <i>", [])
    assert html.unescape(plain(line.html)) == "name: <b>x</b> & 'q' # <i>" and "<i>" not in str(line.html)


def test_what_is_wrong_is_underlined() -> None:
    found = lines.findings([{"path": "name", "line": 1, "value": "Comfort", "rule": "x", "hint": ""}], "name: Comfort")
    (line,) = lines.lines("name: Comfort", found)
    assert "<u>Comfort</u>" in str(line.html) and line.bad


def steps(*seen: str, state: str) -> list[model.Step]:
    return model.steps(model.STEPS, [(name, AT.format(n)) for n, name in enumerate(seen)], state)


def test_a_rollout_shows_where_it_is() -> None:
    looks = [s.look for s in steps("ASKED", "BUILDING", "BINDING", state="BINDING")]
    assert looks == ["done", "done", "now", "", "", ""]


def test_a_failed_rollout_stops_at_the_step_it_failed_in() -> None:
    some = steps("ASKED", "BINDING", "FAILED", state="FAILED")
    assert [s.look for s in some] == ["done", "done", "stop", "", "", ""]
    assert some[0].took == 1.0 and some[1].took is None


def test_a_rollout_that_runs_is_done_whatever_order_its_steps_were_told_in() -> None:
    told = [("RUNNING", AT.format(4)), ("STARTING", AT.format(4)), ("ASKED", AT.format(1))]
    some = model.steps(model.STEPS, told, "RUNNING")
    assert {s.look for s in some} == {"done"} and some[-1].took is None


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.4, "0 s"), (59.9, "59 s"), (60, "1 min"), (3599, "59 min"), (3600, "1 h"), (11520, "3 h 12 min"), (90000, "1 d 1 h")],
)
def test_ages_are_short(seconds: float, said: str) -> None:
    assert model.ago(seconds) == said


@pytest.mark.parametrize(
    ("value", "said"),
    [
        *((21.4, "21.4"), (21.0, "21"), (0, "0"), (0.333, "0.33"), (618.2, "618"), (-3.14, "-3.14"), (100, "100")),
        *((True, "yes"), (False, "no"), (None, "–"), ("open", "open")),
    ],
)
def test_values_have_no_digits_too_many(value: Any, said: str) -> None:
    assert model.value(value) == said


def test_a_quiet_sensors_line_ends_and_begins_anew() -> None:
    x, y = history.gapped([(0, 1.0), (15, 2.0), (200, 3.0)], 15)
    assert (x, y) == ([0, 15, 30, 200], [1.0, 2.0, None, 3.0])


def test_a_chart_shows_the_whole_span_also_where_little_was_measured() -> None:
    span = history.SPANS["15m"]
    assert history.framed([1000.0], [2.0], span, 1800.0) == ([900.0, 1000.0, 1800.0], [None, 2.0, None])
    assert history.framed([900.0, 1795.0], [1.0, 2.0], span, 1800.0) == ([900.0, 1795.0], [1.0, 2.0])
    assert history.framed([], [], span, 1800.0) == ([], [])


def test_a_sparkline_needs_two_values_and_keeps_its_gaps() -> None:
    assert not spark([1.0]) and not spark([None, None])
    assert str(spark([1.0, 2.0, None, 2.0, 1.0])).count("M") == 4


def deployment(state: str, health: str, **more: Any) -> dict[str, Any]:
    wanted = {"generation": 2, "state": state, "reason": "No package paho.", "wish": "run"}
    serving = {"generation": 1, "health": health, "ready": 1, "wanted": 2}
    return {"id": "d", "name": "air", "wanted": wanted, "serving": serving, "shortages": [], **more}


def test_a_failed_wish_says_what_serves_meanwhile() -> None:
    told = attention.of_deployment(deployment("FAILED", "healthy"))
    assert told is not None and told.tone == "bad" and told.more == "No package paho. g1 still serves."


def test_what_is_well_needs_nobody() -> None:
    assert attention.of_deployment(deployment("RUNNING", "healthy")) is None
    assert attention.of_deployment(deployment("STARTING", "healthy")) is None
    degraded = attention.of_deployment(deployment("RUNNING", "degraded"))
    assert degraded is not None and "1 of 2" in degraded.more


def test_what_happened_lately_is_in_order_of_time() -> None:
    steps = [{"generation": 1, "state": s, "at": f"2026-01-05T08:00:{at}Z"} for s, at in (("ASKED", "01"), ("RUNNING", "01.500000"))]
    newest = {"id": "r", "version": "1.0.0", "created": "2026-01-05T08:00:00.900000Z", "created_by": "dora"}
    app = {"name": "air", "newest": newest, "deployments": [{"id": "d", "name": "air", "steps": steps}]}
    assert [h.text for h in lately([app])] == ["runs", "was asked for", "1.0.0 was uploaded by dora"]


def test_rollouts_before_say_how_far_they_came() -> None:
    told = [(1, "ASKED", 0), (1, "RUNNING", 4), (2, "ASKED", 5), (2, "BINDING", 6), (2, "FAILED", 7), (3, "ASKED", 8)]
    steps = [{"generation": g, "state": s, "at": AT.format(n), "release": f"r{g}", "version": f"1.{g}"} for g, s, n in told]
    d = {"wanted": {"generation": 3}, "serving": {"generation": 1, "health": "healthy"}, "steps": steps}
    seen = [(b["generation"], b["version"], b["state"], b["took"], b["in"], b["serves"]) for b in before(d)]
    assert seen == [(2, "1.2", "FAILED", None, "BINDING", False), (1, "1.1", "RUNNING", 4.0, "", True)]
    (_, first) = before(d | {"serving": {"generation": 3, "health": "healthy"}})
    assert first["state"] == "replaced"


def test_a_devices_empty_rows_are_none() -> None:
    form = device_form.Form("n", "hq", (device_form.Row("", "co2"), device_form.Row("", ""), device_form.Row("t", "temperature")))
    assert form.body("dora")["sensors"] == [{"key": "co2", "kind": "co2"}, {"key": "t", "kind": "temperature"}]


@pytest.mark.parametrize(("public", "cookie"), [("https://berth.example", "__Host-berth"), ("http://127.0.0.1:8700", "berth-plain")])
def test_without_tls_the_cookie_has_another_name(public: str, cookie: str) -> None:
    assert Guard(public).cookie == cookie and Guard(public).secure == public.startswith("https")


def test_no_role_goes_where_it_may_not() -> None:
    assert [p.key for p in model.places(["user"])] == ["home", "apps"]
    assert [p.key for p in model.places(["operator", "user"])] == ["home", "subsystems", "incidents", "nodes", "logs", "apps", "devices"]
    assert [p.key for p in model.places(["admin"])][-1] == "people"
    assert [(p.key, p.group) for p in model.places(["developer", "user"])][1:] == [("apps", "Run"), ("devices", "Sense"), ("logs", "See")]
    assert model.places([]) == []


def test_a_phones_bar_has_what_a_role_looks_at_most() -> None:
    assert [p.key for p in model.bar(["operator"])] == ["subsystems", "incidents", "nodes", "logs"]
    assert [p.key for p in model.bar(["developer"])] == ["home", "apps", "devices", "logs"]
    assert [p.key for p in model.bar(["user"])] == ["home", "apps"]


def test_no_template_carries_a_style_or_a_handler() -> None:
    for page in vendor.HERE.rglob("templates/**/*.html"):
        assert not re.search(r"<[^>{]*\s(style|on[a-z]+)=", page.read_text()), page.name
