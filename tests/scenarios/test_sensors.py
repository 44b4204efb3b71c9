"""From a device that is added to an app that reads it, and all that is refused on the way: sensor_manager on twins."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import berth
import pytest
from berth import transport

from contracts.messages import SensorsBound, SensorsShort
from contracts.messages.deployment import Need
from sensor_manager.kinds import STANDARD
from tests.support.sensors import House

COMFORT = Path(__file__).parents[2] / "examples" / "comfort" / "app.py"
TEMPERATURE = Need(name="t", kind="temperature", where="hq/**")


@pytest.fixture
def house() -> Iterator[House]:
    yield House()
    transport.set(None)


def module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("comfort_app", path)
    assert spec and spec.loader
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def test_standard_kinds_are_there_for_everybody_and_once(house: House) -> None:
    status, kinds = house.ask("GET", "/kinds", token=house.uma)
    assert status == 200 and sorted(k["name"] for k in kinds["items"]) == sorted(k.name for k in STANDARD)
    house.platform.subsystems["sensor_manager.api"].start()
    assert len(house.ask("GET", "/kinds")[1]["items"]) == len(STANDARD)


def test_a_workspaces_own_kind(house: House) -> None:
    wind = {"name": "wind", "unit": "m/s", "minimum": 0, "maximum": 120}
    assert house.ask("POST", "/kinds", wind)[0] == 201
    status, problem = house.ask("POST", "/kinds", wind | {"minimum": 200})
    assert status == 422 and [e["path"] for e in problem["errors"]] == ["name", "minimum"]
    assert "wind" not in [k["name"] for k in house.ask("GET", "/kinds", token=house.eve)[1]["items"]]
    device = house.device("hq/roof", w="wind")
    assert house.send(device, {"sensor_id": "w", "value": 12})[1]["accepted"] == 1
    assert house.send(device, {"sensor_id": "w", "value": 121})[0] == 422


def test_a_device_is_added_with_all_problems_said_at_once(house: House) -> None:
    status, problem = house.ask("POST", "/devices", {"name": "X", "place": "HQ", "sensors": [{"key": "t", "kind": "temprature"}]})
    assert status == 422 and [e["path"] for e in problem["errors"]] == ["name", "place", "sensors.0.kind"]
    device = house.device("hq/floor-1/room-101", t="temperature", h="humidity")
    assert device["token"] and device["sensors"][0]["unit"] == "°C"
    shown = house.ask("GET", f"/devices/{device['id']}")[1]
    assert "token" not in shown and shown["latest"] == [] and shown["created_by"] == "dora"
    again = {"name": "hq-floor-1-room-101", "place": "hq", "sensors": [{"key": "t", "kind": "co2"}]}
    assert house.ask("POST", "/devices", again)[0] == 409
    assert [p["place"] for p in house.ask("GET", "/places")[1]["items"]] == ["hq", "hq/floor-1", "hq/floor-1/room-101"]
    assert house.ask("GET", "/places")[1]["items"][0]["sensors"] == {"humidity": 1, "temperature": 1}


def test_what_is_not_yours_is_not_there(house: House) -> None:
    device = house.device("hq/a", t="temperature")
    sensor = device["sensors"][0]["sensor"]
    for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/token"), ("GET", "/events")):
        assert house.ask(method, f"/devices/{device['id']}{path}", token=house.eve)[0] == 404, (method, path)
    assert house.ask("GET", f"/readings?sensor={sensor}", token=house.eve)[0] == 404
    assert house.ask("GET", f"/readings/latest?device={device['id']}", token=house.eve)[0] == 404
    assert house.ask("GET", "/devices?workspace=dora", token=house.eve)[0] == 403
    assert house.ask("GET", "/devices", token=house.eve)[1]["items"] == []
    assert house.ask("GET", "/devices", token=house.uma)[0] == 403


def test_a_reading_is_stored_and_found(house: House) -> None:
    device = house.device("hq/a", t="temperature", o="occupancy")
    status, told = house.send(device, {"sensor_id": "t", "value": 0}, {"sensor_id": "o", "value": False}, packed=True)
    assert status == 200
    assert told == {"results": [{"sensor_id": "t", "accepted": True}, {"sensor_id": "o", "accepted": True}], "accepted": 2, "refused": 0}
    latest = house.ask("GET", f"/readings/latest?device={device['id']}")[1]["items"]
    assert [(r["key"], r["value"], r["unit"], r["place"]) for r in latest] == [("t", 0.0, "°C", "hq/a"), ("o", 0.0, "", "hq/a")]
    assert latest[0]["time"] == house.clock.now().strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    assert len(house.ask("GET", "/readings/latest?place=hq/*")[1]["items"]) == 2
    assert house.ask("GET", "/readings/latest?place=elsewhere/**")[1]["items"] == []


def test_history_and_buckets(house: House) -> None:
    device = house.device("hq/a", t="temperature")
    sensor, now = device["sensors"][0]["sensor"], house.clock.now().timestamp()
    house.send(device, *[{"sensor_id": "t", "value": n, "timestamp": now - 120 + n} for n in range(120)])
    assert len(house.ask("GET", f"/readings?sensor={sensor}&since=1m")[1]["items"]) == 60
    [last] = house.ask("GET", f"/readings?sensor={sensor}&limit=1")[1]["items"]
    assert last["value"] == 119
    buckets = house.ask("GET", f"/readings?sensor={sensor}&since=2m&bucket=1m")[1]["items"]
    assert [(b["mean"], b["minimum"], b["maximum"], b["count"]) for b in buckets] == [(29.5, 0, 59, 60), (89.5, 60, 119, 60)]
    status, problem = house.ask("GET", f"/readings?sensor={sensor}&since=yesterday&bucket=x&until=never")
    assert status == 422 and sorted(e["path"] for e in problem["errors"]) == ["bucket", "since", "until"]


def test_refusals_are_said_per_record(house: House) -> None:
    device, other = house.device("hq/a", t="temperature"), house.device("hq/b", t="temperature")
    foreign = other["sensors"][0]["sensor"]
    status, told = house.send(device, {"sensor_id": "t", "value": 1}, {"sensor_id": "t", "value": "x"}, {"sensor_id": foreign, "value": 1})
    assert (status, told["accepted"], told["refused"]) == (200, 1, 2)
    assert [r.get("reason", "")[:24] for r in told["results"]] == ["", "temperature is a number.", f"'{foreign[:23]}"]
    assert house.send(device, {"sensor_id": foreign, "value": 1})[0] == 403
    status, problem = house.send(device, {"sensor_id": "t", "value": 999}, {"sensor_id": "t", "value": None})
    assert status == 422 and [e["rule"][:30] for e in problem["errors"]] == ["temperature is at most 200 °C;", "value is missing."]
    assert house.ask("POST", "/readings", b"{", device["token"])[0] == 422
    assert house.ask("POST", "/readings", b"{}", "")[0] == 401
    assert house.ask("POST", "/readings", b"{}", house.dora)[0] == 403


def test_the_first_value_of_a_time_wins(house: House) -> None:
    device, now = house.device("hq/a", t="temperature"), house.clock.now().timestamp()
    for value in (1, 2):
        assert house.send(device, {"sensor_id": "t", "value": value, "timestamp": now})[1]["accepted"] == 1
    assert [r["value"] for r in house.ask("GET", "/readings/latest")[1]["items"]] == [1]


def test_a_rotated_token_ends_the_old_one(house: House) -> None:
    device = house.device("hq/a", t="temperature")
    status, new = house.ask("POST", f"/devices/{device['id']}/token")
    house.platform.settle()
    assert status == 201
    assert house.send(device, {"sensor_id": "t", "value": 1})[0] == 401
    assert house.send({**device, **new}, {"sensor_id": "t", "value": 1})[0] == 200


def test_a_removed_device_is_refused_and_its_name_is_free(house: House) -> None:
    device = house.device("hq/a", t="temperature")
    house.send(device, {"sensor_id": "t", "value": 1})
    assert house.ask("DELETE", f"/devices/{device['id']}")[0] == 204
    house.platform.settle()
    assert house.send(device, {"sensor_id": "t", "value": 1})[0] == 401
    assert house.ask("GET", f"/devices/{device['id']}")[0] == 404
    assert house.ask("GET", "/sensors")[1]["items"] == []
    house.device("hq/a", t="temperature")


def test_nothing_is_acknowledged_that_kafka_has_not(house: House) -> None:
    device = house.device("hq/a", t="temperature")
    house.platform.records.log.away = "a test says so"
    assert house.ask("POST", "/readings", {"sensor_id": "t", "value": 1}, device["token"])[0] == 503
    house.platform.records.log.away = ""
    assert house.send(device, {"sensor_id": "t", "value": 2})[0] == 200
    assert [r["value"] for r in house.ask("GET", "/readings/latest")[1]["items"]] == [2]


def test_binding_or_shortage(house: House) -> None:
    short = house.bind("d1", 1, TEMPERATURE)
    assert isinstance(short, SensorsShort)
    assert short.shortages[0].reason == (
        "Needs 1 temperature sensor at hq/**, found none. The workspace has no temperature sensor: add a device with one at hq.")
    house.device("hq/a", t="temperature")
    bound = house.bind("d1", 1, TEMPERATURE)
    assert isinstance(bound, SensorsBound) and [s.place for s in bound.sensors["t"]] == ["hq/a"]
    house.device("hq/b", t="temperature")
    assert house.bind("d1", 1, TEMPERATURE) == bound, "a binding stays as it was made"
    assert len(house.bind("d1", 2, TEMPERATURE).sensors["t"]) == 2  # type: ignore[union-attr]
    assert isinstance(house.bind("d2", 1, TEMPERATURE, workspace="eve"), SensorsShort), "sensors of others are not there"
    assert [b["generation"] for b in house.ask("GET", "/bindings?deployment=d1")[1]["items"]] == [1, 2]
    house.unbind("d1", 1)
    assert [b["generation"] for b in house.ask("GET", "/bindings?deployment=d1")[1]["items"]] == [2]


def test_exclusive_is_for_one_deployment_alone(house: House) -> None:
    house.device("hq/a", t="temperature")
    alone = TEMPERATURE.model_copy(update={"policy": "exclusive"})
    assert isinstance(house.bind("d1", 1, alone), SensorsBound)
    assert isinstance(house.bind("d1", 2, alone), SensorsBound), "its own next generation has it too"
    for need in (alone, TEMPERATURE):
        short = house.bind("d2", 1, need)
        assert isinstance(short, SensorsShort) and "Others have hq/a by deployment d1." in short.shortages[0].reason
    house.unbind("d1", 1)
    assert isinstance(house.bind("d2", 1, alone), SensorsShort)
    house.unbind("d1", 2)
    assert isinstance(house.bind("d2", 1, alone), SensorsBound)


def test_an_app_reads_what_it_is_bound_to_and_nothing_else(house: House) -> None:
    one, two = house.device("hq/a", t="temperature", h="humidity"), house.device("annex/a", t="temperature")
    house.bind("d1", 1, TEMPERATURE)
    house.send(one, {"sensor_id": "t", "value": 20}, {"sensor_id": "h", "value": 50})
    house.send(two, {"sensor_id": "t", "value": 30})
    transport.set(house.app("d1", 1))
    assert [(r.place, r.value, r.unit) for r in berth.sensors("t").latest()] == [("hq/a", 20.0, "°C")]
    [line] = berth.sensors("t").history(since="5m")
    assert [value for _, value in line.points] == [20.0]
    assert [s.place for s in berth.sensors("t").bound()] == ["hq/a"]
    with pytest.raises(berth.NotBound, match="no need 'h' under sensors; it has t"):
        berth.sensors("h").latest()
    transport.set(house.app("d1", 2))
    with pytest.raises(berth.NotBound, match="This generation has no sensors"):
        berth.sensors("t").latest()
    house.unbind("d1", 1)
    transport.set(house.app("d1", 1))
    with pytest.raises(berth.NotBound):
        berth.sensors("t").latest()


def test_a_stream_resumes_where_it_stopped(house: House) -> None:
    device = house.device("hq/a", t="temperature", h="humidity")
    house.bind("d1", 1, TEMPERATURE)
    for value in range(5):
        house.send(device, {"sensor_id": "h", "value": 1}, *[{"sensor_id": "t", "value": value * 10 + n} for n in range(2)])
        house.platform.clock.advance(1)
    app = house.app("d1", 1)
    transport.set(app)
    got: list[Any] = []
    for last in ("0.0", "2.1", "3.0"):
        app.most = {"0.0": 9, "2.1": 4, "3.0": 3}[last]
        got.append([json.loads(e.data)["value"] for e in app.events("/streams/events", {"need": "t"}, last)])
    assert got == [[1, 10, 11, 20, 21, 30, 31, 40, 41], [30, 31, 40, 41], [31, 40, 41]]


def test_shares_divide_the_sensors_and_broadcast_does_not(house: House) -> None:
    import asyncio

    from sensor_manager.streams.hub import Hub, Subscriber

    devices = [house.device(f"hq/r-{n}", t="temperature") for n in range(12)]
    bound = house.bind("d1", 1, TEMPERATURE)
    assert isinstance(bound, SensorsBound)
    sensors = frozenset(s.sensor for s in bound.sensors["t"])

    async def story() -> list[list[str]]:
        hub = Hub(house.platform.records)
        hub.open()
        readers = [Subscriber("d1", sensors, share) for share in ("web", "web", "")]
        for reader in readers:
            hub.join(reader)
        await asyncio.to_thread(lambda: [house.send(device, {"sensor_id": "t", "value": 1}) for device in devices])
        hub.work()
        got = [sorted(r.reading.s for r in await reader.more(1)) for reader in readers]
        hub.leave(readers[0])
        assert hub.count() == 2
        return got

    first, second, everything = asyncio.run(story())
    assert first and second and sorted(first + second) == everything == sorted(sensors)


def test_a_device_page_is_told_of_new_values(house: House) -> None:
    device = house.device("hq/a", t="temperature")
    house.send(device, {"sensor_id": "t", "value": 21})
    [seen] = house.peers.events(f"/devices/{device['id']}/events", 1, house.dora)
    assert (seen["value"], seen["key"]) == (21.0, "t")


def test_the_sample_app_shows_its_rooms(house: House) -> None:
    device = house.device("hq/floor-1/room-101", temp="temperature", co2="co2", who="occupancy")
    needs = [Need(name=kind, kind=kind, where="**", at_least=0) for kind in ("temperature", "co2", "occupancy")]
    house.bind("d1", 1, *needs)
    house.send(device, {"sensor_id": "temp", "value": 21.4}, {"sensor_id": "co2", "value": 600}, {"sensor_id": "who", "value": True})
    transport.set(house.app("d1", 1))
    app = module(COMFORT)
    status, headers, body = app.respond("GET", "/readings.json")
    assert status == 200 and headers["Content-Type"] == "application/json"
    assert [(r["kind"], r["value"], r["unit"], r["key"]) for r in json.loads(body)] == [
        ("co2", 600.0, "ppm", "co2"), ("occupancy", 1.0, "", "who"), ("temperature", 21.4, "°C", "temp")]  # fmt: skip
    lines = json.loads(app.respond("GET", "/history.json")[2])
    assert len(lines) == 3 and all(len(line["points"]) == 1 for line in lines)
    assert app.respond("GET", "/healthz")[0] == 200 and app.respond("POST", "/")[0] == 405 and app.respond("GET", "/x")[0] == 404
    page = app.respond("GET", "/?x=1")[2].decode()
    for asset in ("static/comfort.css", "static/comfort.js", "static/icon.svg"):
        assert asset in page and app.respond("GET", f"/{asset}")[0] == 200
    house.unbind("d1", 1)
    status, _, body = app.respond("GET", "/readings.json")
    assert status == 200 and json.loads(body)[0]["value"] == 600.0 or status == 503


def test_storage_goes_on_where_its_rows_end(house: House) -> None:
    device = house.device("hq/a", t="temperature")
    house.send(device, {"sensor_id": "t", "value": 1})
    store = house.platform.shared["readings"]
    before = store.offsets()
    house.platform.subsystems["sensor_manager.storage"].stop()
    house.ask("POST", "/readings", {"sensor_id": "t", "value": 2}, device["token"])
    from sensor_manager.storage.subsystem import build

    house.platform.clock.advance(1)
    house.platform.add(build, "sensor_manager", "storage")
    house.platform.settle()
    assert sum(store.offsets().values()) == sum(before.values()) + 1
    assert len(store.history(device["sensors"][0]["sensor"], house.clock.now().replace(hour=0), house.clock.now(), 9)) >= 1


def test_what_is_no_reading_is_buried_and_holds_nothing_up(house: House) -> None:
    from contracts.topics import READINGS

    device = house.device("hq/a", t="temperature")
    house.platform.records.send(READINGS, b"x", b"not json", lambda error: None)
    house.send(device, {"sensor_id": "t", "value": 1})
    assert [r["value"] for r in house.ask("GET", "/readings/latest")[1]["items"]] == [1]
    assert [e.value for e in house.platform.records.log.partitions[READINGS.dead.name, 0]] == [b"not json"]
