"""The steps that every story takes: people, devices, uploads, deployments."""

from __future__ import annotations

import uuid
from typing import Any

from tests.scenarios.world import World, sample, zipped

WITHIN = 90.0


def new_name(what: str) -> str:
    return f"{what}-{uuid.uuid4().hex[:8]}"


def new_trace() -> str:
    return uuid.uuid4().hex


def add_device(world: World, token: str, place: str, *kinds: str) -> dict[str, Any]:
    body = {"name": new_name("device"), "place": place, "sensors": [{"key": kind, "kind": kind} for kind in kinds]}
    made: dict[str, Any] = world.ask("POST", "/devices", token, json=body).ok(201)
    return made


def send(world: World, device: dict[str, Any], key: str, value: float) -> None:
    told = world.ask("POST", "/readings", device["token"], json={"sensor_id": key, "value": value}).ok(200)
    assert told["accepted"] == 1, told


def upload(world: World, token: str, files: dict[str, str | bytes], trace: str = "") -> dict[str, Any]:
    answer = world.ask("POST", "/releases", token, body=zipped(files), trace=trace, kind="application/zip")
    made: dict[str, Any] = answer.ok(201)
    return made


def comfort(app: str, where: str) -> dict[str, str | bytes]:
    """The sample app under a name of its own, asking only for sensors at one place."""
    files = sample("comfort")
    manifest = bytes(files["berth.yml"]).decode().replace("name: comfort", f"name: {app}").replace('where: "**"', f'where: "{where}"')  # type: ignore[arg-type]
    return {**files, "berth.yml": manifest}


def deployment(world: World, token: str, id: str) -> dict[str, Any]:
    found: dict[str, Any] = world.ask("GET", f"/deployments/{id}", token).ok(200)
    return found


def wait_for(world: World, token: str, id: str, state: str, generation: int, seconds: float = WITHIN) -> dict[str, Any]:
    """The deployment once this generation is in this state; a FAILED that was not expected ends the wait with its reason."""

    def look() -> dict[str, Any] | None:
        d = deployment(world, token, id)
        if d["wanted"]["generation"] == generation and d["wanted"]["state"] == "FAILED" != state:
            raise AssertionError(f"failed: {d['wanted']} {d['shortages']}")
        return d if (d["wanted"]["generation"], d["wanted"]["state"]) == (generation, state) else None

    return world.until(look, seconds, f"generation {generation} {state}")


def shown(world: World, link: str) -> list[dict[str, Any]]:
    """What the sample app shows: its newest readings, or nothing while it does not answer."""
    answer = world.visit(link, "readings.json")
    return answer.json if answer.status == 200 else []
