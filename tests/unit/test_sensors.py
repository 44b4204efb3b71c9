"""Places, kinds, devices and the choice of sensors: pure decisions, compared as values."""

from __future__ import annotations

import pytest

from contracts.messages.deployment import Need
from sensor_manager.binding import choose
from sensor_manager.kinds import STANDARD, Kind, value_fault
from sensor_manager.model import Device, Sensor, device_problems, kind_problems
from sensor_manager.places import fixed_part, matches, parents, pattern_fault, place_fault

KINDS = {kind.name: kind for kind in STANDARD}


def device(place: str, *kinds: str, name: str = "") -> Device:
    name = name or place.replace("/", "-")
    return Device(name, "dora", name, place, tuple(Sensor(f"{name}.{kind}", kind, kind, KINDS[kind].unit) for kind in kinds))


@pytest.mark.parametrize(("pattern", "place", "so"), [
    ("hq/floor-1/**", "hq/floor-1/room-101", True), ("hq/floor-1/**", "hq/floor-1", True), ("hq/floor-1/**", "hq/floor-2", False),
    ("hq/floor-1/**", "hq/floor-1/a/b/c", True), ("hq/*/room-101", "hq/floor-1/room-101", True), ("hq/*/room-101", "hq/room-101", False),
    ("hq/*", "hq/floor-1/room-101", False), ("hq/*", "hq", False), ("**", "hq", True), ("**", "hq/a/b", True),
    ("**/room-1", "hq/a/room-1", True), ("**/room-1", "room-1", True), ("**/room-1", "hq/room-2", False), ("hq/**/x", "hq/x", True),
    ("hq/**/x/**", "hq/a/x/b", True), ("hq", "hq", True), ("hq", "hq2", False), ("hq/floor-1/**", "hq/floor-10/x", False),
])  # fmt: skip
def test_patterns(pattern: str, place: str, so: bool) -> None:
    assert matches(pattern, place) is so
    assert not so or place == fixed_part(pattern) or place.startswith(fixed_part(pattern) + "/") or not fixed_part(pattern)


@pytest.mark.parametrize("place", ["hq", "hq/floor-1/room-101", "a/b/c/d/e/f/g/h"])
def test_good_places(place: str) -> None:
    assert place_fault(place) == "" and pattern_fault(place) == ""


@pytest.mark.parametrize("place", ["", "/hq", "hq/", "hq//x", "HQ", "hq/Floor 1", "-a", "a-", "a/b/c/d/e/f/g/h/i", "ä", "hq/*", "x" * 41])
def test_bad_places(place: str) -> None:
    assert place_fault(place)


def test_parents() -> None:
    assert parents("hq/floor-1/room-101") == ["hq", "hq/floor-1", "hq/floor-1/room-101"]


@pytest.mark.parametrize(("kind", "value", "good"), [
    ("temperature", 0, True), ("temperature", -0.0, True), ("temperature", 21.5, True), ("temperature", 201, False),
    ("temperature", -91, False), ("temperature", True, False), ("temperature", "21", False), ("temperature", None, False),
    ("temperature", float("nan"), False), ("temperature", float("inf"), False), ("temperature", 10**400, False),
    ("occupancy", False, True), ("occupancy", True, True), ("occupancy", 0, True), ("occupancy", 1, True), ("occupancy", 0.0, True),
    ("occupancy", 2, False), ("occupancy", "1", False), ("occupancy", "", False),
])  # fmt: skip
def test_values(kind: str, value: object, good: bool) -> None:
    assert (value_fault(KINDS[kind], value) == "") is good


def test_empty_text_is_a_value() -> None:
    assert value_fault(Kind("note", "text"), "") == ""
    assert value_fault(Kind("note", "text"), 0) == "note is text."
    assert value_fault(Kind("shape", "object"), {}) == "" and value_fault(Kind("shape", "object"), "x")


def test_range_is_said_with_its_unit() -> None:
    assert value_fault(KINDS["humidity"], 101) == "humidity is at most 100 %; 101 is more."


def test_all_problems_of_a_device_at_once() -> None:
    sensors = [("ok", "temperature", None), ("ok", "temprature", None), ("-", "humidity", "°F")]
    found = device_problems("Bad Name", "HQ", sensors, KINDS)
    assert [p.path for p in found] == ["name", "place", "sensors.1.key", "sensors.1.kind", "sensors.2.key", "sensors.2.unit"]
    assert found[3].hint == "Did you mean temperature?"
    assert device_problems("a", "hq", [], KINDS)[0].rule == "A device has 1 to 200 sensors."
    assert device_problems("a", "hq", [("t", "temperature", "°C")], KINDS) == []


def test_all_problems_of_a_kind_at_once() -> None:
    found = kind_problems(Kind("temperature", "numbers", "x" * 21, 5, 1), KINDS)
    assert [p.path for p in found] == ["name", "value", "unit", "minimum", "maximum", "minimum"]
    assert kind_problems(Kind("wind", "number", "m/s", 0, 120), KINDS) == []


def test_binding_gives_every_match_in_order_of_place() -> None:
    devices = [device("hq/floor-1/b", "temperature"), device("hq/floor-1/a", "temperature", "humidity"),
               device("hq/floor-2/a", "temperature")]
    choice = choose([Need(name="t", kind="temperature", where="hq/floor-1/**")], devices, KINDS)
    assert choice.shortages == ()
    assert [s.place for s in choice.sensors["t"]] == ["hq/floor-1/a", "hq/floor-1/b"]
    assert choice.sensors["t"][0].unit == "°C"


def test_at_most_cuts_and_at_least_zero_needs_none() -> None:
    devices = [device(f"hq/r-{n}", "temperature") for n in range(9)]
    needs = [Need(name="t", kind="temperature", where="**", at_most=3), Need(name="c", kind="co2", where="**", at_least=0)]
    choice = choose(needs, devices, KINDS)
    assert len(choice.sensors["t"]) == 3 and choice.sensors["c"] == ()


def test_shortage_names_what_was_found() -> None:
    devices = [device("hq/floor-1/room-101", "temperature")]
    [short] = choose([Need(name="t", kind="temperature", where="hq/floor-1/**", at_least=3)], devices, KINDS).shortages
    assert short.reason == "Needs 3 temperature sensors at hq/floor-1/**, found 1 (hq/floor-1/room-101)."
    assert (short.wanted, short.found) == (3, 1)


def test_shortage_says_where_there_are_some() -> None:
    devices = [device("hq/floor-2/x", "temperature")]
    needs = [Need(name="t", kind="temperature", where="hq/floor-1/**"), Need(name="c", kind="co2", where="hq/floor-1/**"),
             Need(name="k", kind="temprature", where="**"), Need(name="w", kind="co2", where="HQ/x")]
    reasons = [s.reason for s in choose(needs, devices, KINDS).shortages]
    assert reasons == [
        "Needs 1 temperature sensor at hq/floor-1/**, found none. There are temperature sensors at hq/floor-2/x.",
        "Needs 1 co2 sensor at hq/floor-1/**, found none. The workspace has no co2 sensor: add a device with one at hq/floor-1.",
        "Needs sensors of kind 'temprature', and there is no such kind. Did you mean temperature?",
        "The pattern 'HQ/x' of w is not one: A pattern is a path such as hq/floor-1/** with no slash at its ends; "
        "* is one level, ** any number.",
    ]


def test_nearest_takes_as_few_as_asked_and_the_closest() -> None:
    devices = [device("hq/floor-1/a/deep", "temperature"), device("hq/floor-1/b", "temperature"), device("hq/floor-1", "temperature")]
    need = Need(name="t", kind="temperature", where="hq/floor-1/**", at_least=2, policy="nearest")
    assert [s.place for s in choose([need], devices, KINDS).sensors["t"]] == ["hq/floor-1", "hq/floor-1/b"]


def test_exclusive_leaves_out_what_others_use() -> None:
    devices = [device("hq/a", "temperature"), device("hq/b", "temperature"), device("hq/c", "temperature")]
    held, used = {"hq-a.temperature": "d1"}, {"hq-b.temperature": "d2"}
    exclusive = Need(name="t", kind="temperature", where="hq/*", policy="exclusive")
    assert [s.place for s in choose([exclusive], devices, KINDS, held, used).sensors["t"]] == ["hq/c"]
    shared = Need(name="t", kind="temperature", where="hq/*")
    assert [s.place for s in choose([shared], devices, KINDS, held, used).sensors["t"]] == ["hq/b", "hq/c"]
    [short] = choose([exclusive.model_copy(update={"at_least": 2})], devices, KINDS, held, used).shortages
    assert short.reason.endswith("found 1 (hq/c). Others have hq/a by deployment d1, hq/b by deployment d2.")
