"""Things that are stopped on purpose: `status` and `doctor` tell the truth of them, `down` and `up` lose nothing.

What a test stops it starts again, and waits until all is ready: others use the same installation.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from bootstrapper.given import KEPT
from bootstrapper.installation import Installation
from tests.scenarios.real_world import RealWorld, docker
from tests.scenarios.story import add_device, new_name, send, upload, wait_for

pytestmark = [pytest.mark.real, pytest.mark.disturbs]
ROOT = Path(__file__).parents[2]
WITHIN = 60.0
MANIFEST = """berth: 1
name: NAME
version: 1.0.0
services:
  web: {runtime: python, command: python app.py, port: 8000, public: true, health: {path: /, within: 20s}, instances: 1}
"""
APP = '''import http.server
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(b"kept")
    def log_message(self, *words): pass
http.server.ThreadingHTTPServer(("", 8000), Handler).serve_forever()
'''


def berth(*words: str, **settings: str) -> tuple[int, str, str]:
    """(exit code, what it printed, its errors). What the tests' environment says of backing services is not for `up`."""
    own = {k: v for k, v in os.environ.items() if k not in KEPT and not k.startswith("LOGIN_")}
    environment = {**own, "PYTHONPATH": str(ROOT), **settings}
    command = [sys.executable, "-m", "bootstrapper", *words]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=180, check=False)
    return done.returncode, done.stdout, done.stderr


def parts(world: RealWorld) -> tuple[int, dict[str, dict[str, Any]]]:
    """(`status`' exit code, part's name -> part); `whole` and the exit code must agree with the parts."""
    code, said, errors = berth("status", "--name", world.installation, "--json")
    assert said, errors
    facts = json.loads(said)
    found = {part["name"]: part for part in facts["parts"]}
    assert facts["whole"] == all(p["state"] == "ok" for p in found.values()) == (code == 0)
    assert all(p["why"] for p in found.values() if p["state"] != "ok"), "what is not well says why"
    return code, found


def whole(world: RealWorld) -> None:
    world.until(lambda: parts(world)[0] == 0 or None, WITHIN, "`status` says that all is well")


def not_ok(world: RealWorld, part: str) -> dict[str, dict[str, Any]]:
    """Every part that is not ok, once `part` is among them."""

    def look() -> dict[str, dict[str, Any]] | None:
        bad = {name: p for name, p in parts(world)[1].items() if p["state"] != "ok"}
        return bad if part in bad else None

    return world.until(look, WITHIN, f"`status` sees {part}")


@contextmanager
def restored(world: RealWorld, *words: str) -> Iterator[None]:
    whole(world)
    try:
        yield
    finally:
        docker(*words)
        whole(world)


def test_status_sees_a_subsystem_that_is_scaled_away(real_world: RealWorld) -> None:
    service = f"{real_world.installation}-platform-ui"
    with restored(real_world, "service", "scale", "-d", f"{service}=1"):
        docker("service", "scale", "-d", f"{service}=0")
        assert list(not_ok(real_world, "platform-ui")) == ["platform-ui"]


def test_status_sees_a_backing_service_that_is_stopped(real_world: RealWorld) -> None:
    container = f"{real_world.installation}-registry"
    with restored(real_world, "start", container):
        docker("stop", "-t", "5", container)
        assert "Exited" in not_ok(real_world, "registry")["registry"]["why"]


def test_status_of_what_is_not_there_says_the_next_step(tmp_path: Path) -> None:
    code, said, errors = berth("status", "--name", "nowhere", BERTH_HOME=str(tmp_path))
    assert (code, said) == (1, "")
    assert "no installation nowhere" in errors and "berth up --name nowhere" in errors


def findings(*words: str, **settings: str) -> tuple[int, dict[str, dict[str, Any]]]:
    code, said, errors = berth("doctor", *words, "--json", **settings)
    assert said, errors
    found = {f["what"]: f for f in json.loads(said)}
    assert (code == 0) == all(f["good"] for f in found.values())
    assert all(f["mend"] for f in found.values() if not f["good"]), "each finding says what mends it"
    return code, found


def test_doctor_finds_nothing_in_the_way_of_what_stands(real_world: RealWorld) -> None:
    _, found = findings("--name", real_world.installation)
    bad = {what: f["seen"] for what, f in found.items() if not f["good"]}
    assert not bad.keys() - {"memory", "disk"}, bad  # how much is free is this machine's matter


def test_doctor_names_missing_programs_and_how_to_get_them(tmp_path: Path) -> None:
    code, found = findings("--name", "nowhere", BERTH_HOME=str(tmp_path), PATH=str(tmp_path))
    assert code == 1
    assert "mmdebstrap" in found["programs"]["seen"]
    assert found["programs"]["mend"].startswith("apt-get install ") and "maven" in found["programs"]["mend"]


def test_doctor_names_a_port_that_another_holds(tmp_path: Path) -> None:
    with socket.socket() as holder:
        base = next(b for b in range(28000, 32000, 50) if _bound(holder, b + 443))
        Installation("nowhere", base, tmp_path / "nowhere", "127.0.0.1").keep()
        holder.listen()
        code, found = findings("--name", "nowhere", BERTH_HOME=str(tmp_path))
    assert code == 1
    assert str(base + 443) in found["ports"]["seen"] and str(base + 443) in found["ports"]["mend"]


def _bound(holder: socket.socket, port: int) -> bool:
    try:
        holder.bind(("127.0.0.1", port))
    except OSError:
        return False
    return True


def test_down_and_up_lose_nothing(real_world: RealWorld) -> None:
    """A device with its token and readings, a release, a login and an app that ran: all as before, the app with its instance."""
    name = real_world.installation
    if not name.startswith("test-"):
        pytest.skip(f"{name} is not a test installation: it is not taken down")
    token, app = real_world.login("developer"), new_name("kept")
    device = add_device(real_world, token, f"kept/{new_name('room')}", "temperature")
    send(real_world, device, "temperature", 20.5)
    release = upload(real_world, token, {"berth.yml": MANIFEST.replace("NAME", app), "app.py": APP})
    made = real_world.ask("POST", "/deployments", token, json={"release": release["id"]}).ok(201)
    d = wait_for(real_world, token, made["id"], "RUNNING", 1)
    latest = f"/readings/latest?device={device['id']}"
    real_world.until(lambda: real_world.ask("GET", latest, token).json["items"], 20, "the reading is stored")

    code, _, errors = berth("down", "--name", name)
    try:
        assert code == 0, errors
        assert not docker("ps", "-q", "-f", f"label=berth.installation={name}").split(), "nothing of it runs any more"
        assert real_world.visit(d["link"]).status == 0, "nothing listens"
    finally:
        code, _, errors = berth("up", "--name", name, "--quiet")
    assert code == 0, errors

    assert parts(real_world)[0] == 0, "`up` returns when all is well"
    real_world.until(lambda: real_world.visit(d["link"]).body == b"kept" or None, 30, "the app answers again")
    assert [r["value"] for r in real_world.ask("GET", latest, token).ok(200)["items"]] == [20.5]
    assert real_world.ask("GET", f"/releases/{release['id']}", token).ok(200)["digest"] == release["digest"]
    send(real_world, device, "temperature", 21.5)  # its token is good still
    real_world.ask("DELETE", f"/deployments/{made['id']}", token).ok(202)
