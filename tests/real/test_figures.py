"""What a real app burns and holds is what is shown of it: now, live, and in its history."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.scenarios.real_world import RealWorld
from tests.scenarios.story import new_name, upload, wait_for
from tests.scenarios.test_figures import MANIFEST, of

pytestmark = [pytest.mark.real]
HELD = 48 << 20
APP = f'''import http.server, json, threading, time

def burn():
    while True:
        end = time.thread_time() + 0.03
        while time.thread_time() < end:
            pass
        time.sleep(0.07)

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps({{"cpu": time.process_time(), "at": time.monotonic()}}).encode())

if __name__ == "__main__":
    held = bytearray(b"x" * {HELD})
    threading.Thread(target=burn, daemon=True).start()
    http.server.ThreadingHTTPServer(("", 8000), Handler).serve_forever()
'''


class Busy:
    """A deployment whose one instance burns near a third of a core and holds 48 MiB; it tells itself what it burnt."""

    def __init__(self, world: RealWorld) -> None:
        self.world, self.token = world, world.login("developer")
        name = new_name("busy")
        release = upload(world, self.token, {"berth.yml": MANIFEST.format(name=name), "app.py": APP})
        self.id = world.ask("POST", "/deployments", self.token, json={"release": release["id"], "instances": {"web": 1}}).ok(201)["id"]
        self.link = wait_for(world, self.token, self.id, "RUNNING", 1)["link"]
        self.instance = self.newest()["instance"]

    def newest(self) -> dict[str, Any]:
        return self.world.until(lambda: next(iter(of(self.world, self.token, f"deployment={self.id}")), None), 20, "its figures")

    def own(self) -> tuple[float, float]:
        """(seconds of cpu, moment), as the app sees them."""
        told = self.world.visit(self.link).json
        return told["cpu"], told["at"]

    def burnt(self, seconds: float) -> tuple[float, datetime, datetime]:
        """Percent of a core over the next seconds, by the app's own count, and when that was."""
        since, (cpu, at) = datetime.now(UTC), self.own()
        time.sleep(seconds)
        (later, then), until = self.own(), datetime.now(UTC)
        return 100 * (later - cpu) / (then - at), since, until


@pytest.fixture(scope="module")
def busy(real_world: RealWorld) -> Iterator[Busy]:
    made = Busy(real_world)
    yield made
    real_world.ask("DELETE", f"/deployments/{made.id}", made.token).ok(202)


def stream(busy: Busy, seconds: float) -> list[dict[str, Any]]:
    """The events that come meanwhile, each with its age when it came."""
    found, end = [], time.monotonic() + seconds
    headers = {"Authorization": f"Bearer {busy.token}"}
    url = f"{busy.world.ui}/api/v1/figures/events?deployment={busy.id}"
    with busy.world._client.stream("GET", url, headers=headers) as answer:
        assert answer.status_code == 200 and answer.headers["content-type"].startswith("text/event-stream")
        for line in answer.iter_lines():
            if line.startswith("data: "):
                event = json.loads(line[6:])
                age = datetime.now(UTC) - datetime.fromisoformat(event["time"])
                found.append({**event, "age": age.total_seconds()})
            if time.monotonic() > end:
                break
    return found


def test_live_figures_are_what_the_app_burns_and_holds(busy: Busy) -> None:
    (cpu, at), events, (later, then) = busy.own(), stream(busy, 12), busy.own()
    burnt = 100 * (later - cpu) / (then - at)
    seen = [event["instances"][0] for event in events]
    mean = sum(one["cpu"] for one in seen) / len(seen)
    ages = sorted(event["age"] for event in events[1:])
    late = f"{len(events)} events in 12 s, median age {ages[len(ages) // 2]:.2f} s, oldest {ages[-1]:.2f} s"
    print(f"burnt {burnt:.1f} %, shown {mean:.1f} %; {late}")
    assert abs(mean - burnt) < 0.25 * burnt + 3
    assert {one["instance"] for one in seen} == {busy.instance} and all(event["of_node"] is None for event in events)
    assert len(events) >= 7 and ages[len(ages) // 2] < 1
    memory, limit = seen[-1]["memory"], seen[-1]["memory_limit"]
    print(f"holds {HELD >> 20} MiB and Python, shown {memory / (1 << 20):.1f} MiB of {limit >> 20}")
    assert HELD < memory < HELD + (32 << 20) and limit == 256 << 20


def test_the_history_has_it(busy: Busy) -> None:
    burnt, since, until = busy.burnt(31)
    query = f"since={since:%Y-%m-%dT%H:%M:%S}Z&until={until:%Y-%m-%dT%H:%M:%S}Z"
    path = f"/instances/{busy.instance}/figures?{query}"

    def whole() -> list[dict[str, Any]] | None:
        items = busy.world.ask("GET", path, busy.token).ok(200)["items"]
        return items if len(items) >= 2 else None

    items = busy.world.until(whole, 20, "two steps of ten seconds")
    mean = sum(i["cpu"] for i in items) / len(items)
    print(f"burnt {burnt:.1f} %, kept {mean:.1f} % in {len(items)} steps, greatest second {max(i['cpu_max'] for i in items):.1f} %")
    assert abs(mean - burnt) < 0.25 * burnt + 3
    assert all(i["cpu_max"] >= i["cpu"] and HELD < i["memory"] <= i["memory_max"] for i in items)


def test_every_container_of_the_installation_is_measured(busy: Busy) -> None:
    staff = busy.world.login("operator")
    items = of(busy.world, staff)
    by_kind = {kind: {i["service"] for i in items if i["kind"] == kind} for kind in ("app", "subsystem", "backing")}
    assert by_kind["backing"] == {"kafka", "postgres", "azurite", "slapd", "registry", "haproxy"}
    assert by_kind["subsystem"] >= {"identity", "deployer", "node_manager.api", "node_manager.agent", "sensor_manager.storage", "monitor"}
    agents = [i["cpu"] for i in items if i["service"] == "node_manager.agent"]
    print(f"{len(items)} containers, the agent itself {agents} % of a core")
    assert busy.instance in {i["instance"] for i in items} and all(i["memory"] > 0 for i in items)
    kafka = busy.world.ask("GET", "/instances/" + next(i["instance"] for i in items if i["service"] == "kafka") + "/figures", staff).ok(200)
    assert kafka["items"] and kafka["restarts"] is None


def test_the_node_is_this_machine(busy: Busy) -> None:
    staff = busy.world.login("operator")
    node = next(n for n in busy.world.ask("GET", "/nodes", staff).ok(200)["items"] if n["heard"])
    lines = Path("/proc/meminfo").read_text().splitlines()
    total = int(next(line.split()[1] for line in lines if line.startswith("MemTotal"))) * 1024
    seen = node["figures"]
    assert seen["memory_total"] == total and 0 < seen["memory_used"] < total and 0 <= seen["cpu"] <= 100
    assert 0 < seen["disk_used"] < seen["disk_total"] and node["instances"] >= 1
    history = busy.world.ask("GET", f"/nodes/{node['node']}/figures", staff).ok(200)
    assert history["step"] == 10 and history["items"][-1]["cpu_max"] >= history["items"][-1]["cpu"] and history["items"][-1]["disk"]
