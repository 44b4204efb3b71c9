"""Readings over HTTP, Kafka and PostgreSQL: a week of a real office, complete to the last value, through kill -9, and to an app."""

from __future__ import annotations

import csv
import os
import signal
import statistics
import threading
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import berth
import pytest
from berth import transport
from berth.transport import Event, HttpTransport

from cli.sending import Reading
from contracts.messages.deployment import Need
from tests.support.process import eventually
from tests.support.sensors_real import RealHouse, real_house

pytestmark = pytest.mark.real
OFFICE = Path(os.environ.get("BERTH_OFFICE_DATA") or Path(__file__).parents[3] / "shared" / "data" / "office_occupancy.csv")
COLUMNS = {"temperature": "Temperature", "humidity": "Humidity", "light": "Light", "co2": "CO2", "occupancy": "Occupancy"}
BATCH = 1_000


@pytest.fixture(scope="module")
def house() -> Iterator[RealHouse]:
    with real_house() as house:
        yield house
        print("".join(line for line in house.lines if '"level": "info"' not in line)[-5000:])
    transport.set(None)


@pytest.fixture(scope="module")
def office() -> list[tuple[datetime, dict[str, float]]]:
    """Moved so that its last minute is now."""
    if not OFFICE.is_file():
        pytest.skip(f"the office data is not at {OFFICE}; BERTH_OFFICE_DATA says where it is")
    with OFFICE.open() as file:
        rows = list(csv.reader(file))[1:]
    times = [datetime.strptime(row[1], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC) for row in rows]
    moved = datetime.now(UTC).replace(microsecond=0) - times[-1]
    places = {"temperature": 2, "humidity": 3, "light": 4, "co2": 5, "occupancy": 7}
    return [(t + moved, {kind: float(row[n]) for kind, n in places.items()}) for t, row in zip(times, rows, strict=True)]


def as_readings(office: list[tuple[datetime, dict[str, float]]]) -> list[Reading]:
    """Times in every form that a device may use."""
    forms: list[Any] = [lambda t: t.timestamp(), lambda t: int(t.timestamp() * 1000), lambda t: int(t.timestamp()) * 10**6,
                        lambda t: t.isoformat()]
    return [{"sensor_id": kind, "timestamp": forms[n % 4](time), "value": bool(v) if kind == "occupancy" else v}
            for n, (time, values) in enumerate(office) for kind, v in values.items()]


def stored(house: RealHouse, device: Any, kind: str) -> list[dict[str, Any]]:
    """In windows small enough for one answer."""
    sensor = next(s["sensor"] for s in device["sensors"] if s["key"] == kind)
    return list(house.ask("GET", f"/readings?sensor={sensor}&since=8d&limit=10000")["items"])


def test_a_week_of_an_office_is_kept_to_the_last_value(house: RealHouse, office: list[tuple[datetime, dict[str, float]]]) -> None:
    device = house.device("office/room-1", *COLUMNS)
    readings = as_readings(office)
    began = time.monotonic()
    for n in range(0, len(readings), BATCH):
        outcome = house.send(device, readings[n : n + BATCH])
        assert outcome.status == 200, outcome
    taken = time.monotonic() - began
    eventually(lambda: all(len(stored(house, device, kind)) == len(office) for kind in COLUMNS), 60)
    kept = time.monotonic() - began
    print(f"{len(readings)} readings acknowledged in {taken:.2f} s, stored after {kept:.2f} s")
    for kind in COLUMNS:
        points = stored(house, device, kind)
        assert [p["value"] for p in points] == [values[kind] for _, values in office]
        assert [datetime.fromisoformat(p["time"]) for p in points] == [t for t, _ in office]
    latest = {r["key"]: r["value"] for r in house.ask("GET", f"/readings/latest?device={device['id']}")["items"]}
    assert latest == office[-1][1]
    sensor = next(s["sensor"] for s in device["sensors"] if s["key"] == "co2")
    days = house.ask("GET", f"/readings?sensor={sensor}&since=8d&bucket=1d")["items"]
    assert sum(d["count"] for d in days) == len(office)
    mean = sum(d["mean"] * d["count"] for d in days) / len(office)
    assert mean == pytest.approx(statistics.mean(values["co2"] for _, values in office))
    assert house.send(device, readings[:BATCH]).status == 200, "again: the same readings are no new ones"
    marker = {"sensor_id": "co2", "value": 1}
    house.send(device, [marker])
    eventually(lambda: len(stored(house, device, "co2")) == len(office) + 1, 20)


def test_storage_killed_in_the_midst_keeps_each_reading_once(house: RealHouse) -> None:
    device = house.device("office/room-2", "temperature")
    start = datetime.now(UTC) - timedelta(days=1)
    readings = [{"sensor_id": "temperature", "timestamp": (start + timedelta(seconds=n)).isoformat(), "value": n % 50} for n in range(6000)]
    for n in range(0, len(readings), 500):
        assert house.send(device, readings[n : n + 500]).status == 200
        if n in (1500, 3500):
            house.processes["storage"].stop(signal.SIGKILL)
            house.start("storage")
    eventually(lambda: len(stored(house, device, "temperature")) >= len(readings), 60)
    assert [p["value"] for p in stored(house, device, "temperature")] == [r["value"] for r in readings]


def stands(stream: Iterator[Event], house: RealHouse, device: Any) -> None:
    """Sends until the first is heard: what was sent before the stream stood is not its business."""
    heard = threading.Event()

    def knock() -> None:
        while not heard.is_set():
            house.send(device, [{"sensor_id": "temperature", "value": 0}])
            heard.wait(0.2)

    knocking = threading.Thread(target=knock)
    knocking.start()
    try:
        next(stream)
    finally:
        heard.set()
        knocking.join()


def test_an_app_hears_what_it_is_bound_to_and_resumes_after_a_restart(house: RealHouse) -> None:
    device, deployment = house.device("lab/room-1", "temperature"), uuid.uuid4().hex
    bound = house.bind(deployment, Need(name="t", kind="temperature", where="lab/**"))
    assert [s.place for s in bound.sensors["t"]] == ["lab/room-1"]
    token = house.signed(deployment, "app", workspace="dora", generation=1)
    app = HttpTransport(house.url("streams"), token)
    transport.set(app)
    stream = app.events("/streams/events", {"need": "t"}, "")
    stands(stream, house, device)
    took, last = [], ""
    for number in range(1, 21):
        began = time.monotonic()
        house.send(device, [{"sensor_id": "temperature", "value": number}])
        last = next(event for event in stream if f'"value":{number}.0' in event.data).id
        took.append(time.monotonic() - began)
    print(f"device to app: median {statistics.median(took) * 1000:.0f} ms, most {max(took) * 1000:.0f} ms")
    house.processes["streams"].stop(signal.SIGKILL)
    for number in (101, 102, 103):
        house.send(device, [{"sensor_id": "temperature", "value": number}])
    house.start("streams")
    again = HttpTransport(house.url("streams"), token).events("/streams/events", {"need": "t"}, last)
    heard = [next(again).data for _ in range(3)]
    assert [f'"value":{n}.0' in data for n, data in zip((101, 102, 103), heard, strict=True)] == [True] * 3
    transport.set(HttpTransport(house.url("streams"), token))
    eventually(lambda: berth.sensors("t").latest()[0].value == 103, 20)
    [line] = berth.sensors("t").history(since="10m")
    assert [value for _, value in line.points][-3:] == [101, 102, 103]


def test_a_rotated_device_token_is_refused_by_intake_within_a_second(house: RealHouse) -> None:
    device = house.device("lab/room-2", "temperature")
    one = [{"sensor_id": "temperature", "value": 1}]
    assert house.send(device, one).status == 200
    new = house.ask("POST", f"/devices/{device['id']}/token")
    took = eventually(lambda: house.send(device, one).status == 401, 1.0)
    assert house.send(new, one).status == 200
    print(f"refused after {took:.3f} s")
