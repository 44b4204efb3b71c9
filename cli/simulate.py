"""A simulated building: every room is a device that sends believable values. `berth simulate`, or a container of the platform's image."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cli.building import DEFAULT, Room, read_building
from cli.climate import Climate
from cli.sending import Door, Outcome, Reading, Sender

Ask = Callable[[str, str, Any], tuple[Outcome, Any]]
WARM_UP = timedelta(hours=30)


class Building:
    """`shift` is how far the building's clock is ahead of ours: its people and its sun follow it, timestamps are ours."""

    def __init__(self, rooms: Sequence[Room], now: datetime, seed: int = 1, shift: timedelta = timedelta(0)) -> None:
        self._shift = shift
        self._rooms = [Climate(room, now + shift - WARM_UP, seed) for room in rooms]
        self.advance(now)

    def advance(self, now: datetime) -> None:
        for room in self._rooms:
            room.advance(now + self._shift)

    def readings(self, now: datetime) -> dict[str, list[Reading]]:
        """By the device's name."""
        micros = round(now.timestamp() * 1_000_000)
        return {
            climate.room.name: [{"sensor_id": k, "timestamp": micros, "value": v} for k, v in climate.values().items()]
            for climate in self._rooms
        }


def register(ask: Ask, rooms: Sequence[Room], workspace: str = "") -> dict[str, str]:
    """Every room as a device; name -> token. One that is there already gets a new token. ValueError: what the platform said."""
    asked = f"?workspace={workspace}" if workspace else ""
    known = {device["name"]: device["id"] for device in _checked(ask("GET", f"/api/v1/devices{asked}", None))["items"]}
    tokens: dict[str, str] = {}
    for room in rooms:
        if room.name in known:
            made = _checked(ask("POST", f"/api/v1/devices/{known[room.name]}/token", {}))
        else:
            made = _checked(ask("POST", "/api/v1/devices", room.device | ({"workspace": workspace} if workspace else {})))
        tokens[room.name] = made["token"]
    return tokens


def run(building: Building, senders: Mapping[str, Sender], every: float, history: timedelta) -> None:
    """First the past hour, a value each minute; then for ever."""
    start = datetime.now(UTC)
    then = start - history
    while then < start:
        building.advance(then)
        for name, some in building.readings(then).items():
            senders[name].offer(some)
        then += timedelta(minutes=1)
    while True:
        began = time.monotonic()
        now = datetime.now(UTC)
        building.advance(now)
        for name, some in building.readings(now).items():
            senders[name].offer(some)
            senders[name].flush(began)
        time.sleep(max(0.0, every - (time.monotonic() - began)))


def save(tokens: Mapping[str, str], path: Path) -> None:
    """Readable by its owner alone."""
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(dict(tokens), file)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="berth simulate", description=__doc__)
    parser.add_argument("--url", required=True, help="the platform's address, such as https://localhost:8443")
    parser.add_argument("--tokens", required=True, type=Path, help="a JSON file, device name to token; written with --register")
    parser.add_argument("--ca", help="the file of the platform's CA certificate")
    parser.add_argument("--building", type=Path, default=DEFAULT, help="the building's description")
    parser.add_argument("--register", metavar="TOKEN_FILE", type=Path, help="add the rooms as devices, with this person's token")
    parser.add_argument("--only-register", action="store_true", help="and end")
    parser.add_argument("--workspace", default="", help="where they are added; by default the person's own")
    parser.add_argument("--every", type=float, default=2.0, help="seconds between values")
    parser.add_argument("--history", type=float, default=60, help="minutes of the past to send first")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--hour", type=float, help="the hour it is in the building at the start (default: as here; weekends are Fridays)")
    given = parser.parse_args(arguments)
    try:
        rooms = read_building(given.building)
        if given.register:
            door = Door(given.url, given.register.read_text().strip(), given.ca)
            save(register(door.ask, rooms, given.workspace), given.tokens)
            print(f"{len(rooms)} rooms are devices now", flush=True)
        if given.only_register:
            return 0
        tokens = json.loads(given.tokens.read_text())
        senders = {room.name: _sender(given, room.name, tokens[room.name]) for room in rooms}
    except (OSError, ValueError, KeyError) as error:
        print(f"berth simulate: {error}", file=sys.stderr)
        return 1
    now = datetime.now(UTC)
    print(f"{len(rooms)} rooms send every {given.every:g} s to {given.url}", flush=True)
    history = timedelta(minutes=given.history)
    run(Building(rooms, now - history, given.seed, _shift(given.hour, now)), senders, given.every, history)
    return 0


def _shift(hour: float | None, now: datetime) -> timedelta:
    """On the nearest working day before, so that people are there."""
    then = now if hour is None else now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(hours=hour)
    return then - timedelta(days=max(0, now.weekday() - 4)) - now


def _sender(given: argparse.Namespace, name: str, token: str) -> Sender:
    return Sender(Door(given.url, token, given.ca).readings, lambda text: print(f"{name} {text}", flush=True))


def _checked(got: tuple[Outcome, Any]) -> Any:
    outcome, told = got
    if not 200 <= outcome.status < 300:
        raise ValueError(f"the platform answered {outcome.status or 'nothing'}: {outcome.detail}")
    return told


if __name__ == "__main__":
    sys.exit(main())
