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


TALKER = '''"""Prints a line for each visit."""

import http.server


def respond(method, path):
    if path != "/healthz":
        print("visited " + path, flush=True)
    return 200, {"Content-Type": "text/plain"}, "told " + path


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        status, headers, body = respond("GET", self.path)
        self.send_response(status)
        for header in headers.items():
            self.send_header(*header)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *words):
        pass


if __name__ == "__main__":
    http.server.ThreadingHTTPServer(("", 8000), Handler).serve_forever()
'''


def talker(app: str) -> dict[str, str | bytes]:
    """An app without sensors, whose printed lines tell who visited it."""
    web = "runtime: python, command: python app.py, port: 8000, public: true, health: {path: /healthz, within: 20s}"
    return {"berth.yml": f"berth: 1\nname: {app}\nversion: 1.0.0\nservices:\n  web: {{{web}}}\n", "app.py": TALKER}


def run(world: World, token: str, files: dict[str, str | bytes], instances: int = 1) -> dict[str, Any]:
    """Uploaded, deployed and served by all its instances."""
    release = upload(world, token, files)
    asked = world.ask("POST", "/deployments", token, json={"release": release["id"], "instances": {"web": instances}}).ok(201)
    d = wait_for(world, token, asked["id"], "RUNNING", 1)
    world.until(lambda: deployment(world, token, d["id"])["serving"]["health"] == "healthy", 30, "all in the front door")
    return d


def destroy(world: World, token: str, id: str) -> None:
    world.ask("DELETE", f"/deployments/{id}", token).ok(202)
    world.until(lambda: world.ask("GET", f"/deployments/{id}", token).status == 404, 60, "nothing left")


def incidents(world: World, limit: int = 50) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = world.ask("GET", f"/incidents?limit={limit}", world.login("operator")).ok(200)["items"]
    return found


def replicas(world: World, part: str) -> list[str]:
    """Of a subsystem (`deployer`, `node_manager.api`), those that are ready."""
    got = world.ask("GET", "/subsystems", world.login("operator"))
    items = got.json["items"] if got.status == 200 else []
    mine = (s for s in items if ".".join(filter(None, (s["subsystem"], s["role"]))) == part)
    return [r["replica"] for s in mine for r in s["replicas"] if r["state"] == "ready"]


def the_one(world: World, part: str) -> str:
    """The replica of a part that has one, once no other is known: a rollout ends a moment after its successor serves."""
    return world.until(lambda: found[0] if len(found := replicas(world, part)) == 1 else None, 30, f"one replica of {part}")


def at_rest(world: World) -> bool:
    """All parts that are known are ready, what they stand on answers, and no incident is open."""
    operator = world.login("operator")
    parts, backing = (world.ask("GET", path, operator) for path in ("/subsystems", "/backing"))
    if parts.status != 200 or backing.status != 200 or incidents(world, 0):
        return False
    well = all(r["state"] == "ready" for s in parts.json["items"] for r in s["replicas"])
    return bool(parts.json["items"]) and well and all(s["state"] == "up" for s in backing.json["items"])


def replaced(world: World, replica: str) -> dict[str, Any]:
    """The incident of this replica, once it ended so; it may have been suspected before, and spared."""

    def look() -> dict[str, Any] | None:
        return next((i for i in incidents(world) if i["replica"] == replica and i["outcome"] == "replaced"), None)

    return world.until(look, WITHIN, f"{replica} is replaced")
