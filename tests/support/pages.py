"""What pages are looked at with: a few devices with a past, and the sample app running."""

from __future__ import annotations

import math
import time
from datetime import timedelta
from typing import Any

from backbone.clock import text_of
from tests.scenarios.memory_world import MemoryWorld
from tests.scenarios.world import sample, zipped

Sensors = tuple[tuple[str, str], ...]

DEVICES: dict[str, tuple[str, Sensors]] = {
    "room-101-node": ("hq/floor-1/room-101", (("temperature", "temperature"), ("humidity", "humidity"), ("co2", "co2"))),
    "room-102-node": ("hq/floor-1/room-102", (("temperature", "temperature"), ("occupied", "occupancy"))),
    "lobby-air": ("hq/floor-1/lobby", (("temperature", "temperature"), ("light", "light"))),
    "this-machine": ("hq/cellar", (("cpu", "cpu"), ("memory", "memory"), ("load", "load"))),
}
AROUND = {
    "temperature": (21.4, 1.2), "humidity": (44, 6), "co2": (618, 90), "light": (320, 120), "cpu": (31, 18), "memory": (58, 4),
    "load": (0.8, 0.5),
}  # fmt: skip


def value_at(kind: str, at: float) -> Any:
    if kind == "occupancy":
        return math.sin(at / 700) > 0
    middle, swing = AROUND[kind]
    wave = math.sin(at / 400) + 0.35 * math.sin(at / 37) + 0.15 * math.sin(at / 7.3)
    return round(middle + swing * wave / 1.5, 2)


def seed(world: MemoryWorld, app: bool = True) -> dict[str, str]:
    """dora's devices with an hour behind them, and her app. The devices' tokens by name."""
    dora = world.login("developer")
    tokens = {}
    for name, (place, sensors) in DEVICES.items():
        body = {"name": name, "place": place, "sensors": [{"key": key, "kind": kind} for key, kind in sensors]}
        tokens[name] = world.ask("POST", "/devices", dora, json=body).ok(201)["token"]
    now, began = world.platform.clock.now(), time.monotonic() - 3600
    for name, token in tokens.items():
        past = [
            {"sensor_id": key, "value": value_at(kind, began + n * 15), "timestamp": text_of(now - timedelta(seconds=3600 - n * 15))}
            for n in range(240)
            for key, kind in DEVICES[name][1]
        ]
        for start in range(0, len(past), 200):
            world.ask("POST", "/readings", token, json=past[start : start + 200])
    if app:
        made = world.ask("POST", "/releases", dora, body=zipped(sample("comfort")), kind="application/zip").ok(201)
        world.ask("POST", "/deployments", dora, json={"release": made["id"]}).ok(201)
        world.pass_time(8)
    return tokens
