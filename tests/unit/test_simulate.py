"""The simulated building is believable and repeatable; this machine as a device invents nothing; nothing is lost on the way."""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cli.building import read_building
from cli.climate import Climate, outside, presence, saturation
from cli.device import Machine, description, name_of_host, readings
from cli.sending import MOST_KEPT, Outcome, Sender
from cli.simulate import Building, main, register, save
from sensor_manager.kinds import STANDARD, value_fault
from sensor_manager.model import device_problems

KINDS = {kind.name: kind for kind in STANDARD}
MONDAY = datetime(2026, 11, 23, tzinfo=UTC)


def test_every_room_is_a_device_that_berth_takes() -> None:
    rooms = read_building()
    assert len(rooms) >= 6 and all(room.place.startswith("hq/floor-") for room in rooms)
    for room in rooms:
        body = room.device
        assert device_problems(body["name"], body["place"], [(s["key"], s["kind"], None) for s in body["sensors"]], KINDS) == []


@pytest.mark.parametrize("text", [
    "", "[1", "site: hq", "site: hq\nfloors: {f: {r: {area: x, people: 1}}}",
    "site: hq\nfloors: {f: {r: {area: 1, people: 1, window: up}}}",
])  # fmt: skip
def test_a_broken_building_is_said(text: str, tmp_path: Path) -> None:
    file = tmp_path / "b.yml"
    file.write_text(text)
    with pytest.raises(ValueError):
        read_building(file)


def test_a_week_stays_within_kinds_and_reason() -> None:
    building = Building(read_building(), MONDAY)
    seen: dict[str, list[float]] = {}
    for minutes in range(0, 7 * 1440, 10):
        now = MONDAY + timedelta(minutes=minutes)
        building.advance(now)
        for some in building.readings(now).values():
            for one in some:
                assert value_fault(KINDS[one["sensor_id"]], one["value"]) == "", one
                seen.setdefault(one["sensor_id"], []).append(float(one["value"]))
    assert min(seen["temperature"]) > 14 and max(seen["temperature"]) < 30
    assert min(seen["co2"]) > 390 and 900 < max(seen["co2"]) < 4000
    assert min(seen["humidity"]) > 10 and max(seen["humidity"]) < 85
    assert max(seen["light"]) < 1500 and 0.05 < statistics.mean(seen["occupancy"]) < 0.6


def test_people_raise_carbon_dioxide_and_nights_clear_it() -> None:
    room = next(r for r in read_building() if "meeting-1" in r.place)
    climate = Climate(room, MONDAY)
    at: dict[int, float] = {}
    for hour in range(31):
        climate.advance(MONDAY + timedelta(hours=hour))
        at[hour] = climate.co2
    assert max(at[h] for h in range(10, 17)) > at[5] + 300 and at[30] < at[16] - 200


def test_the_same_seed_gives_the_same_values_and_another_does_not() -> None:
    def run(seed: int) -> Any:
        building = Building(read_building(), MONDAY, seed)
        building.advance(MONDAY + timedelta(hours=11))
        return building.readings(MONDAY)

    assert run(1) == run(1) != run(2)


def test_days_are_warmer_than_nights_and_offices_empty_on_sundays() -> None:
    assert outside(MONDAY.replace(hour=15)).temperature > outside(MONDAY.replace(hour=5)).temperature + 5
    assert outside(MONDAY.replace(hour=0)).sun == 0 and outside(MONDAY.replace(month=6, hour=12)).sun > 0.8
    assert presence(MONDAY.replace(hour=10)) > 0.6 > presence(MONDAY.replace(hour=3)) == 0
    assert presence(MONDAY.replace(day=22, hour=10)) < 0.1
    assert saturation(20) == pytest.approx(17.3, abs=0.2)


class Platform:
    """Answers each batch as it is told to, then with 200."""

    def __init__(self, *outcomes: Outcome) -> None:
        self.outcomes, self.got = list(outcomes), []  # type: ignore[var-annotated]

    def post(self, batch: Sequence[dict[str, Any]]) -> Outcome:
        outcome = self.outcomes.pop(0) if self.outcomes else Outcome(200)
        if outcome.status == 200:
            self.got += [one["n"] for one in batch]
        return outcome


def test_what_could_not_be_sent_is_kept_in_order_and_sent_later() -> None:
    platform = Platform(Outcome(0, "away"), Outcome(503), Outcome(429, "", 7))
    said: list[str] = []
    sender = Sender(platform.post, said.append)
    sender.offer([{"n": 1}])
    assert sender.flush(0) == 0.5
    sender.offer([{"n": 2}])
    assert sender.flush(0.4) == pytest.approx(0.1) and len(platform.outcomes) == 2, "not before its time"
    assert sender.flush(0.5) == 1.0
    assert sender.flush(1.5) == 7.0
    assert sender.flush(8.5) == 0.0 and platform.got == [1, 2] and len(sender) == 0 and sender.sent == 2
    assert said[0] == "waits 0.5 s, 1 readings kept: away"


def test_pauses_grow_to_a_minute_and_begin_anew() -> None:
    sender = Sender(Platform(*[Outcome(503)] * 12).post, lambda text: None)
    sender.offer([{"n": 1}])
    now, pauses = 0.0, []
    for _ in range(12):
        pauses.append(sender.flush(now))
        now += pauses[-1]
    assert pauses[:4] == [0.5, 1, 2, 4] and pauses[-1] == 60
    assert sender.flush(now) == 0 and sender.sent == 1


def test_what_is_refused_for_good_does_not_block_what_follows() -> None:
    platform = Platform(Outcome(422, "None was taken."))
    sender = Sender(platform.post, lambda text: None)
    sender.offer([{"n": n} for n in range(501)])
    sender.flush(0)
    assert (sender.refused, sender.sent, platform.got) == (500, 1, [500])


def test_a_revoked_token_is_tried_again_slowly() -> None:
    sender = Sender(Platform(Outcome(401, "The token was revoked.")).post, lambda text: None)
    sender.offer([{"n": 1}])
    assert sender.flush(0) == 0.5 and len(sender) == 1


def test_a_full_buffer_gives_up_the_oldest() -> None:
    platform = Platform()
    sender = Sender(platform.post, lambda text: None)
    sender.offer([{"n": n} for n in range(MOST_KEPT + 3)])
    assert len(sender) == MOST_KEPT and sender.dropped == 3
    sender.flush(0)
    assert platform.got[0] == 3 and platform.got[-1] == MOST_KEPT + 2


def test_this_machine_measures_what_it_has() -> None:
    values = Machine().values()
    assert {"cpu", "memory", "disk", "load"} <= values.keys()
    for key, value in values.items():
        assert value_fault(KINDS[key], value) == ""
    body = description(name_of_host(), "lab/host", list(values))
    assert device_problems(body["name"], body["place"], [(s["key"], s["kind"], None) for s in body["sensors"]], KINDS) == []
    assert readings({"cpu": 0.0}, 1.5) == [{"sensor_id": "cpu", "timestamp": 1_500_000, "value": 0.0}]


def test_a_sensor_the_machine_lacks_is_absent(tmp_path: Path) -> None:
    for name in ("stat", "meminfo"):
        (tmp_path / name).write_text(Path("/proc", name).read_text())
    try:
        values = Machine(str(tmp_path), str(tmp_path / "no-such")).values()
    finally:
        Machine()
    assert values.keys() & {"disk", "load"} == set() and {"cpu", "memory"} <= values.keys()


def test_rooms_are_registered_once_and_get_a_new_token_later(tmp_path: Path) -> None:
    rooms, asked = read_building()[:2], []

    def ask(method: str, path: str, body: Any) -> tuple[Outcome, Any]:
        asked.append((method, path))
        answers = {"GET": {"items": [{"name": rooms[1].name, "id": "d1"}]}, "POST": {"token": f"t{len(asked)}"}}
        return Outcome(200), answers[method]

    tokens = register(ask, rooms)
    assert tokens == {rooms[0].name: "t2", rooms[1].name: "t3"}
    assert asked == [("GET", "/api/v1/devices"), ("POST", "/api/v1/devices"), ("POST", "/api/v1/devices/d1/token")]
    save(tokens, tmp_path / "tokens")
    assert (tmp_path / "tokens").stat().st_mode & 0o777 == 0o600 and json.loads((tmp_path / "tokens").read_text()) == tokens
    with pytest.raises(ValueError, match="answered 403: not yours"):
        register(lambda method, path, body: (Outcome(403, "not yours"), None), rooms)


def test_a_missing_file_is_said(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["--url", "https://x", "--tokens", str(tmp_path / "none")]) == 1
    assert "berth simulate:" in capsys.readouterr().err
