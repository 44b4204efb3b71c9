"""From a zip to 200, from a crash to healthy, from nothing to up: how long a person waits for the product's main job.

    ./berth bench thread [--name berth] [--zips 30] [--kills 100] [--not-fresh] [--json]

It brings up the installation where it does not stand, and a whole second one on a Docker daemon of its own with an empty data root
(bench/fresh.py; not with `--not-fresh`). The same work by Docker alone stands beside (bench/peer.py). Root only.
What is timed ends only when the front door really serves the new code (its own number is read back over TLS) or really has
the successor's address in its table. The client's own cost is the polling step, printed beside.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
import uuid
from datetime import datetime
from pathlib import Path
from typing import Any

from bench import fresh, peer
from bench.report import quantile, spread, tell
from gateway.runtime import Runtime
from gateway.slots import READY
from tests.scenarios.real_world import RealWorld, docker
from tests.scenarios.story import add_device, deployment, new_name, wait_for
from tests.scenarios.world import zipped

STEP = 0.01
MANIFEST = """berth: 1
name: NAME
version: 1.0.VERSION
services:
  web: {runtime: python, command: python app.py, port: 8000, public: true, health: {path: /healthz, within: 20s}, instances: 2PACKAGES}
sensors:
  temperature: {kind: temperature, where: "WHERE"}
"""
APP = '''import http.server
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(b"MARK")
    def log_message(self, *words): pass
http.server.ThreadingHTTPServer(("", 8000), Handler).serve_forever()
'''


class Bench:
    def __init__(self, world: RealWorld) -> None:
        self.world, self.token = world, world.login("developer")
        self.place = f"bench/{new_name('room')}"
        add_device(world, self.token, self.place, "temperature")

    def zip_to_200(self, name: str, version: int, packages: str = "") -> tuple[float, dict[str, float], str]:
        """(seconds, phase -> seconds, deployment's id) from the first byte sent to the new code's own answer over TLS."""
        self.token, mark = self.world.login("developer"), uuid.uuid4().hex
        text = MANIFEST.replace("NAME", name).replace("VERSION", str(version)).replace("WHERE", f"{self.place}/**")
        text = text.replace("PACKAGES", ", packages: requirements.txt" if packages else "")
        files: dict[str, str | bytes] = {"berth.yml": text, "app.py": APP.replace("MARK", mark)}
        files |= {"requirements.txt": packages} if packages else {}
        body, began, wall = zipped(files), time.monotonic(), time.time()
        release = self.world.ask("POST", "/releases", self.token, body=body, kind="application/zip").ok(201)
        sent = time.monotonic() - began
        answer = self.world.ask("POST", "/deployments", self.token, json={"release": release["id"], "name": name})
        assert answer.status in (200, 201), answer.body
        id, link = answer.json["id"], f"{self.world.apps}/{self.world.workspace('developer')}/{name}/"
        while (got := self.world.visit(link)).body != mark.encode():
            assert time.monotonic() - began < 180, f"{got.status} {deployment(self.world, self.token, id)['wanted']}"
            time.sleep(STEP)
        seconds = time.monotonic() - began
        d = wait_for(self.world, self.token, id, "RUNNING", answer.json["wanted"]["generation"])
        return seconds, {"sent": sent, **_phases(d, wall), "200": seconds}, id

    def destroy(self, id: str) -> None:
        self.world.ask("DELETE", f"/deployments/{id}", self.token).ok(202)
        gone = lambda: self.world.ask("GET", f"/deployments/{id}", self.token).status == 404 or None  # noqa: E731
        self.world.until(gone, 60, "the deployment is gone")

    def kills(self, id: str, name: str, most: int) -> list[float]:
        """Seconds from SIGKILL of an instance's main process until the front door's table has its successor."""
        path = f"/{self.world.workspace('developer')}/{name}/"
        door, seconds = Door(self.world.installation), list[float]()
        for turn in range(most):
            before = self.world.until(lambda: s if len(s := door.servers(path)) == 2 else None, 30, "two instances in the front door")
            both = lambda: found if len(found := self.world.instances(id)) == 2 else None  # noqa: E731
            instances = self.world.until(both, 30, "only the newest generation's two instances")
            began = time.monotonic()
            self.world.kill_instance(instances[turn % len(instances)])
            while not (len(now := door.servers(path)) == 2 and now - before):
                assert time.monotonic() - began < 60, "no successor"
                time.sleep(STEP / 2)
            seconds.append(time.monotonic() - began)
        return seconds


class Door:
    """HAProxy's own table, asked on its socket as the gateway does it."""

    def __init__(self, installation: str) -> None:
        place = docker("volume", "inspect", "-f", "{{.Mountpoint}}", f"{installation}-haproxy").strip()
        self._runtime = Runtime(Path(place) / "admin.sock")

    def servers(self, path: str) -> set[str]:
        backend = self._runtime.map(Path("/run/haproxy/routes.map")).get(path, "")
        return {s.address for s in self._runtime.slots(backend).get(backend, []) if s.state == READY} if backend else set()


def _phases(d: dict[str, Any], began: float) -> dict[str, float]:
    """Seconds since the first byte at which the newest generation reached each state, by the platform's own record."""
    generation = d["wanted"]["generation"]
    return {s["state"]: datetime.fromisoformat(s["at"]).timestamp() - began for s in d["steps"] if s["generation"] == generation}


def _table(rows: list[dict[str, float]]) -> None:
    for phase in ("sent", "ASKED", "BUILDING", "BINDING", "PLACING", "STARTING", "RUNNING", "200"):
        if values := [row[phase] for row in rows if phase in row]:
            print(f"  reached {phase:<9} {spread(values)}", flush=True)


def memory(installation: str) -> dict[str, float]:
    """MiB in use by each part's container."""
    found: dict[str, float] = {}
    units = {"KiB": 1 / 1024, "MiB": 1.0, "GiB": 1024.0}
    for line in docker("stats", "--no-stream", "--format", "{{.Name}} {{.MemUsage}}").splitlines():
        name, used = line.split()[:2]
        if name.startswith(f"{installation}-") and "-d-" not in name:
            part = name.removeprefix(f"{installation}-").split(".")[0].replace("-", "_")
            found[f"memory_{part}_mb"] = round(float(used[:-3]) * units.get(used[-3:], 0.0), 1)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="berth bench thread", description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--name", default="berth")
    parser.add_argument("--home", default="/var/lib/berth")
    parser.add_argument("--zips", type=int, default=30)
    parser.add_argument("--changes", type=int, default=10)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--peers", type=int, default=5)
    parser.add_argument("--not-fresh", action="store_true")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    figures: dict[str, float] = {} if asked.not_fresh else fresh.measure()
    subprocess.run([sys.executable, "-m", "bootstrapper", "up", "--name", asked.name], check=True)
    bench = Bench(RealWorld(Path(asked.home) / asked.name))

    name = new_name("bench")
    cold, phases, id = bench.zip_to_200(name, 0, f"# {uuid.uuid4()}\nclick==8.1.8\nidna==3.10\n")
    figures["zip_to_200_cold_s"] = cold
    print("cold: new requirements, nothing kept of them")
    _table([phases])
    bench.destroy(id)

    rows = []
    for turn in range(asked.zips):
        _, phases, id = bench.zip_to_200(new_name("bench"), turn)
        rows.append(phases)
        bench.destroy(id)
    figures["zip_to_200_warm_s_p50"] = quantile([r["200"] for r in rows], 0.5)
    figures["zip_to_200_warm_s_p95"] = quantile([r["200"] for r in rows], 0.95)
    print(f"warm: {asked.zips} zips, each a new app with new code (client polls each {STEP * 1000:.0f} ms)")
    _table(rows)

    rows = []
    for turn in range(asked.changes):
        _, phases, id = bench.zip_to_200(name, turn)
        rows.append(phases)
    figures["code_change_to_200_s_p95"] = quantile([r["200"] for r in rows[1:] or rows], 0.95)
    print(f"code change: {asked.changes} releases of one app, the old one serving meanwhile")
    _table(rows)

    kills = bench.kills(id, name, asked.kills)
    figures["crash_to_healthy_s_p50"], figures["crash_to_healthy_s_p99"] = quantile(kills, 0.5), quantile(kills, 0.99)
    print(f"crash: {asked.kills} SIGKILLs, to the successor in the front door's table\n  {spread(kills)}")
    if asked.peers:
        image = peer.image_of(id)
        built, crashed = peer.build_and_run(image, APP, asked.peers), peer.crashes(image, asked.peers)
        figures["peer_docker_build_to_200_s_p50"] = quantile(built, 0.5)
        figures["peer_swarm_crash_to_running_s_p50"] = quantile(crashed, 0.5)
        print(f"peer, docker build and run to 200\n  {spread(built)}\npeer, Swarm's defaults from SIGKILL to running\n  {spread(crashed)}")
    bench.destroy(id)
    figures |= memory(asked.name)
    tell("thread", figures, asked.json)


if __name__ == "__main__":
    main()
