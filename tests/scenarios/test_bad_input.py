"""Bad input: each with its clear error, and nothing half made left."""

from __future__ import annotations

from typing import Any

import pytest

from tests.scenarios.story import add_device, comfort, new_name, upload, wait_for
from tests.scenarios.world import World, zipped

FIVE = """berth: 1
name: Comfort
version: 1.3.0
services:
  web:
    runtime: pyhton
    command: python app.py
    port: 8000
    public: true
    packages: requirments.txt
    health: {path: healthz}
sensors:
  temperature: {kind: temprature, where: "**"}
"""
ONE = """berth: 1
name: NAME
version: 1.0.0
services:
  web: {runtime: python, command: python app.py, port: 8000, public: true, health: {path: /healthz, within: WITHINs}}
"""


def one(within: int = 20) -> tuple[str, str]:
    name = new_name("app")
    return name, ONE.replace("NAME", name).replace("WITHIN", str(within))


def nothing_kept(world: World, token: str, app: str) -> None:
    assert app not in [a["name"] for a in world.ask("GET", "/apps", token).ok(200)["items"]]


def refused(world: World, token: str, body: bytes) -> dict[str, Any]:
    told: dict[str, Any] = world.ask("POST", "/releases", token, body=body, kind="application/zip").ok(422)
    return told


def test_not_a_zip(world: World) -> None:
    told = refused(world, world.login("developer"), b"this is text, not a zip")
    assert "zip" in told["detail"].lower() + told["errors"][0]["rule"].lower() and len(told["correlation"]) == 32


def test_no_manifest(world: World) -> None:
    told = refused(world, world.login("developer"), zipped({"app.py": "pass"}))
    assert "berth.yml" in told["errors"][0]["rule"] + told["detail"]


def test_five_mistakes_come_at_once_with_their_lines(world: World) -> None:
    token = world.login("developer")
    told = refused(world, token, zipped({"berth.yml": FIVE, "app.py": "pass", "requirements.txt": ""}))
    found = {(e["path"], e["line"]) for e in told["errors"]}
    assert found == {
        ("name", 2), ("services.web.runtime", 6), ("services.web.packages", 10), ("services.web.health.path", 11),
        ("sensors.temperature.kind", 13),
    }  # fmt: skip
    assert told["manifest"] == FIVE
    nothing_kept(world, token, "Comfort")


def test_an_unknown_kind_is_told_with_what_was_meant(world: World) -> None:
    name, text = one()
    text += 'sensors:\n  t: {kind: temprature, where: "**"}\n'
    told = refused(world, world.login("developer"), zipped({"berth.yml": text, "app.py": "pass"}))
    assert [e["path"] for e in told["errors"]] == ["sensors.t.kind"] and "temperature" in told["errors"][0]["hint"]
    nothing_kept(world, world.login("developer"), name)


def test_too_few_sensors_name_the_need_and_the_place(world: World) -> None:
    token, app, room = world.login("developer"), new_name("comfort"), f"hq/floor-9/{new_name('room')}"
    files = comfort(app, f"{room}/**")
    files["berth.yml"] = str(files["berth.yml"]).replace("at_least: 1", "at_least: 3")
    add_device(world, token, room, "temperature")
    release = upload(world, token, files)
    made = world.ask("POST", "/deployments", token, json={"release": release["id"]}).ok(201)
    d = wait_for(world, token, made["id"], "FAILED", 1)
    (lack,) = d["shortages"]
    assert (lack["need"], lack["wanted"], lack["found"]) == ("temperature", 3, 1) and room in lack["reason"]
    assert d["serving"]["health"] == "none" and world.instances(made["id"]) == []


def test_a_package_that_does_not_exist(world: World) -> None:
    token = world.login("developer")
    name, text = one()
    text = text.replace("command:", "packages: requirements.txt, command:")
    files: dict[str, str | bytes] = {"berth.yml": text, "app.py": "pass", "requirements.txt": "# what it needs\npaho-mqttt-none-such==9\n"}
    release = upload(world, token, files)
    ended = world.until(lambda: _ended(world, token, release["id"]), 120, "the build's end")
    assert ended["state"] == "FAILED" and "paho-mqttt-none-such" in ended["reason"] and "line 2" in ended["reason"]
    log = world.ask("GET", f"/builds/{release['id']}/log", token)
    assert log.status == 200 and b"paho-mqttt-none-such" in log.body


def test_an_app_that_never_becomes_healthy(world: World) -> None:
    token = world.login("developer")
    name, text = one(within=3)
    code = "import sys\nprint('no heater found', flush=True)\nsys.exit(3)\n"
    release = upload(world, token, {"berth.yml": text, "app.py": code})
    made = world.ask("POST", "/deployments", token, json={"release": release["id"]}).ok(201)
    d = wait_for(world, token, made["id"], "FAILED", 1, seconds=150)
    wanted = d["wanted"]
    assert "3" in wanted["reason"] and wanted["hint"] == "It said last: no heater found" and "no heater" in wanted["log"], wanted
    world.until(lambda: not world.instances(made["id"]), 30, "nothing of it runs")


def test_a_wrong_password(world: World) -> None:
    told = world.ask("POST", "/session", json={"username": "dora", "password": "wrong"})
    assert told.status == 401 and "password" in told.json["detail"].lower()
    assert world.ask("POST", "/session", json={"username": "nobody-here", "password": "wrong"}).json["detail"] == told.json["detail"]


def test_another_workspaces_app_is_not_there(world: World) -> None:
    token, other = world.login("developer"), world.login("user")
    name, text = one()
    release = upload(world, token, {"berth.yml": text, "app.py": "pass"})
    assert world.ask("GET", f"/releases/{release['id']}", other).status in (403, 404)
    assert name not in [a["name"] for a in world.ask("GET", "/apps", other).ok(200)["items"]]


@pytest.mark.parametrize("path", ["/apps", "/deployments", "/devices", "/me"])
def test_without_a_token_nothing_is_told(world: World, path: str) -> None:
    told = world.ask("GET", path)
    assert told.status == 401 and told.headers["content-type"].startswith("application/problem+json")


def _ended(world: World, token: str, release: str) -> dict[str, Any] | None:
    found: dict[str, Any] = world.ask("GET", f"/releases/{release}", token).ok(200)
    return found if found["state"] in ("BUILT", "FAILED") else None
