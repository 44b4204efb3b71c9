"""From a line's print in an app to its arrival in a tail over TLS: both ends are on this machine, so they have one clock."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator

import httpx

from bench.report import quantile, spread
from tests.scenarios.real_world import RealWorld
from tests.scenarios.story import new_name, upload, wait_for

EACH_SECOND = 200
MARK = "bench-line"
MANIFEST = """berth: 1
name: NAME
version: 1.0.0
services:
  web: {runtime: python, command: python app.py, port: 8000, public: true, health: {path: /healthz, within: 20s}}
"""
APP = f'''import http.server, threading, time

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(b"well")
    def log_message(self, *words): pass

def say():
    began, number = time.monotonic(), 0
    while True:
        number += 1
        time.sleep(max(0, began + number / {EACH_SECOND} - time.monotonic()))
        print(f"{MARK} {{number}} {{time.time():.6f}}", flush=True)

threading.Thread(target=say, daemon=True).start()
http.server.ThreadingHTTPServer(("", 8000), Handler).serve_forever()
'''


class Missing(Exception):
    """A part of the platform is not there yet."""


def visible(world: RealWorld, seconds: float) -> dict[str, float]:
    token, name = world.login("developer"), new_name("lines")
    if world.ask("GET", "/lines?limit=1", token).status == 404:
        raise Missing("nobody serves GET /lines here; its figures are missing")
    release = upload(world, token, {"berth.yml": MANIFEST.replace("NAME", name), "app.py": APP})
    id = world.ask("POST", "/deployments", token, json={"release": release["id"], "name": name}).ok(201)["id"]
    try:
        wait_for(world, token, id, "RUNNING", 1)
        seen = list(_tail(world, token, id, seconds))
    finally:
        world.ask("DELETE", f"/deployments/{id}", token)
    numbers = [number for number, _ in seen]
    late = [milliseconds for _, milliseconds in seen]
    missing = numbers[-1] - numbers[0] + 1 - len(set(numbers))
    doubled = len(numbers) - len(set(numbers))
    print(f"lines: {len(late)} in {seconds:g} s ({len(late) / seconds:.0f}/s), {missing} missing, {doubled} doubled; ms from print")
    print(f"  {spread(late)}", flush=True)
    return {"visible_ms_p50": quantile(late, 0.5), "visible_ms_p99": quantile(late, 0.99), "visible_missing": float(missing)}


def _tail(world: RealWorld, token: str, deployment: str, seconds: float) -> Iterator[tuple[int, float]]:
    """(number, milliseconds since it was printed) of each line that comes; the first moments are left out."""
    url = f"{world.ui}/api/v1/lines/events?deployment={deployment}&last=0"
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(verify=world.tls, timeout=30, trust_env=False) as client, client.stream("GET", url, headers=headers) as answer:
        assert answer.status_code == 200, answer.read()
        closing = threading.Timer(seconds + 30, answer.close)
        closing.daemon = True
        closing.start()
        begin = time.monotonic() + 2
        for line in answer.iter_lines():
            now = time.time()
            if not line.startswith("data: ") or MARK not in line:
                continue
            words = json.loads(line[6:])["text"].split()
            if time.monotonic() > begin + seconds:
                break
            if time.monotonic() > begin:
                yield int(words[1]), 1000 * (now - float(words[2]))
        closing.cancel()
