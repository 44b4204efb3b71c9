"""What a device may send, and why the rest is refused."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from contracts.errors import Invalid, TooLarge
from sensor_manager.intake.check import check
from sensor_manager.intake.parse import MOST_BYTES, inflated, parse
from sensor_manager.intake.times import time_of
from sensor_manager.kinds import STANDARD, Kind
from sensor_manager.model import Device, Sensor
from sensor_manager.reading import micros, moment, packed, split, unpacked

KINDS = {kind.name: kind for kind in STANDARD} | {"note": Kind("note", "text"), "shape": Kind("shape", "object"), "big": Kind("big")}
SENSORS = tuple(Sensor(f"id-{name}", name, name, "") for name in ("temperature", "occupancy", "note", "shape", "big"))
DEVICE = Device("d1", "dora", "box", "hq/a", SENSORS)
NOW = micros(datetime(2026, 11, 28, 12, tzinfo=UTC))


def judged(body: Any) -> list[Any]:
    return check(parse(json.dumps(body).encode(), NOW), DEVICE, lambda workspace, name: KINDS.get(name), NOW)


@pytest.mark.parametrize(("given", "expected"), [
    (1_795_867_200, 1_795_867_200_000_000), (1_795_867_200.25, 1_795_867_200_250_000), (1_795_867_200_123, 1_795_867_200_123_000),
    (1_795_867_200_123_456, 1_795_867_200_123_456), ("2026-11-28T12:00:00Z", NOW), ("2026-11-28T13:00:00.000001+01:00", NOW + 1),
    (None, NOW), (0, 0),
])  # fmt: skip
def test_timestamps_are_told_apart_by_size(given: Any, expected: int) -> None:
    assert time_of(given, NOW) == expected


@pytest.mark.parametrize("given", [True, [], {}, "soon", "2026-11-28T12:00:00", 10**17, "", 1e300])
def test_what_is_no_time(given: Any) -> None:
    assert isinstance(time_of(given, NOW), str)


def test_micros_and_back() -> None:
    time = datetime(2026, 11, 28, 12, 0, 0, 123457, tzinfo=UTC)
    assert moment(micros(time)) == time


@pytest.mark.parametrize(("sensor", "value", "number", "other"), [
    ("temperature", 0, 0.0, None), ("occupancy", False, 0.0, None), ("occupancy", True, 1.0, None), ("note", "", None, ""),
    ("shape", {"a": [1]}, None, {"a": [1]}), ("shape", {}, None, {}), ("big", 2**53, float(2**53), None),
    ("big", 2**53 + 1, None, 2**53 + 1),
])  # fmt: skip
def test_values_that_are_taken(sensor: str, value: Any, number: float | None, other: Any) -> None:
    [verdict] = judged({"sensor_id": sensor, "value": value})
    assert verdict.reading is not None, verdict.reason
    assert (verdict.reading.v, verdict.reading.o, verdict.reading.t) == (number, other, NOW)
    assert unpacked(packed([verdict.reading])) == [verdict.reading]
    assert split(value) == (number, other)


def test_the_global_id_is_a_name_too() -> None:
    [verdict] = judged([{"sensor_id": "id-temperature", "value": 20.5, "timestamp": NOW}])
    assert verdict.reading is not None and verdict.reading.s == "id-temperature" and verdict.reading.d == "d1"


@pytest.mark.parametrize(("record", "words"), [
    ({"value": 1}, "sensor_id is missing"), ({"sensor_id": 7, "value": 1}, "sensor_id is missing"),
    ({"sensor_id": "temperature"}, "value is missing"), ({"sensor_id": "temperature", "value": None}, "value is missing"),
    ({"sensor_id": "temperature", "value": "x"}, "is a number"), ({"sensor_id": "temperature", "value": 900}, "at most 200"),
    ({"sensor_id": "temperature", "value": 1, "timestamp": "x"}, "RFC 3339"),
    ({"sensor_id": "temperature", "value": 1, "timestamp": NOW - 31 * 86400 * 10**6}, "30 days"),
    ({"sensor_id": "temperature", "value": 1, "timestamp": NOW + 301 * 10**6}, "5 minutes ahead"),
    ({"sensor_id": "note", "value": "a\0b"}, "NUL"), ({"sensor_id": "shape", "value": {"a": ["\0"]}}, "NUL"),
])  # fmt: skip
def test_values_that_are_refused(record: dict[str, Any], words: str) -> None:
    [verdict] = judged(record)
    assert verdict.reading is None and words in verdict.reason and not verdict.foreign


def test_a_sensor_of_others_is_foreign() -> None:
    [verdict] = judged({"sensor_id": "id-of-another", "value": 1})
    assert verdict.foreign and "is not a sensor of this device; it has temperature" in verdict.reason


def test_edges_of_the_window_are_inside() -> None:
    times = [NOW - 30 * 86400 * 10**6, NOW + 300 * 10**6]
    assert all(v.reading for v in judged([{"sensor_id": "temperature", "value": 1, "timestamp": t} for t in times]))


def test_senml_with_base_fields() -> None:
    pack = [{"bn": "", "bt": NOW / 10**6 - 60, "n": "temperature", "u": "Cel", "v": 20}, {"n": "temperature", "t": 10, "v": 0},
            {"n": "occupancy", "t": 20, "vb": False}, {"n": "note", "vs": ""}]  # fmt: skip
    verdicts = judged(pack)
    assert [v.reason for v in verdicts] == [""] * 4
    assert [(v.reading.t - NOW) // 10**6 for v in verdicts] == [-60, -50, -40, -60]
    assert [v.reading.v for v in verdicts] == [20.0, 0.0, 0.0, None]


def test_senml_relative_time_and_base_value() -> None:
    [one, two] = judged([{"bv": 20, "n": "temperature", "v": 1.5, "t": -5}, {"n": "temperature", "v": -1}])
    assert (one.reading.v, one.reading.t) == (21.5, NOW - 5 * 10**6)
    assert (two.reading.v, two.reading.t) == (19.0, NOW)


def test_senml_data_is_not_taken() -> None:
    [verdict] = judged([{"n": "note", "vd": "aGk="}])
    assert "one of v, vs and vb" in verdict.reason


@pytest.mark.parametrize("body", [b"", b"x", b"1", b"[]", b"[1]", b'"x"', b"\xff", b'{"sensor_id": NaN}', b'[{"bn": "x"}]'])
def test_what_is_no_body(body: bytes) -> None:
    with pytest.raises(Invalid):
        parse(body, NOW)


def test_gzip() -> None:
    body = b'{"sensor_id": "temperature", "value": 1}'
    assert inflated(gzip.compress(body), "gzip") == body and inflated(body, "") == body
    for broken, encoding in ((body, "gzip"), (gzip.compress(body)[:-4], "gzip"), (body, "br")):
        with pytest.raises(Invalid):
            inflated(broken, encoding)
    with pytest.raises(TooLarge):
        inflated(gzip.compress(b"0" * (MOST_BYTES + 1)), "gzip")


def test_too_many_at_once() -> None:
    with pytest.raises(TooLarge):
        parse(json.dumps([{"sensor_id": "temperature", "value": 1}] * 5001).encode(), NOW)
