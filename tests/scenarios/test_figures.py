"""Figures from the agent to the API: who sees what, what is kept, and what is said of a restart."""

from __future__ import annotations

from typing import Any

import pytest

from tests.scenarios.memory_world import MemoryWorld
from tests.scenarios.story import new_name, upload, wait_for
from tests.scenarios.world import World

MANIFEST = """berth: 1
name: {name}
version: 1.0.0
services:
  web:
    runtime: python
    command: python app.py
    port: 8000
    public: true
    health: {{path: /healthz, within: 20s}}
"""
APP = '''import http.server
def respond(method, path):
    return 200, {"Content-Type": "text/plain"}, "well"
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"well")
if __name__ == "__main__":
    http.server.ThreadingHTTPServer(("", 8000), Handler).serve_forever()
'''


def running(world: World, token: str, instances: int = 1) -> dict[str, Any]:
    """A small app's deployment that serves."""
    name = new_name("seen")
    release = upload(world, token, {"berth.yml": MANIFEST.format(name=name), "app.py": APP})
    asked = world.ask("POST", "/deployments", token, json={"release": release["id"], "instances": {"web": instances}}).ok(201)
    return wait_for(world, token, asked["id"], "RUNNING", 1)


def of(world: World, token: str, query: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = world.ask("GET", f"/figures?{query}", token).ok(200)["items"]
    return found


def test_an_instance_is_measured_and_its_restart_is_counted(world: World) -> None:
    token = world.login("developer")
    d = running(world, token)
    mine = f"deployment={d['id']}"
    (one,) = world.until(lambda: of(world, token, mine) or None, 15, "figures of its instance")
    assert (one["kind"], one["service"], one["generation"], one["restarts"]) == ("app", "web", 1, 0)
    assert one["workspace"] == world.workspace("developer") and one["memory"] > 0 and one["cpu"] >= 0
    assert one["memory"] < one["memory_limit"]

    told = world.until(lambda: kept(world, token, one["instance"]), 30, "a step of its history")
    assert told["step"] == 10 and told["restarts"] == 0 and told["items"][-1]["memory_max"] >= told["items"][-1]["memory"] > 0

    world.kill_instance(world.instances(d["id"])[0])
    world.until(lambda: [i for i in of(world, token, mine) if i["instance"] != one["instance"]] or None, 20, "figures of its successor")
    listed = world.until(lambda: counted(world, token, d["id"]) or None, 10, "the restart")
    assert {i["restarts"] for i in listed} == {1} and of(world, token, mine)[0]["restarts"] == 1
    assert kept(world, token, one["instance"]), "what ended can be looked at still"

    world.ask("DELETE", f"/deployments/{d['id']}", token).ok(202)
    world.until(lambda: not of(world, token, mine), 30, "no figures of what is gone")


def kept(world: World, token: str, instance: str) -> dict[str, Any] | None:
    found: dict[str, Any] = world.ask("GET", f"/instances/{instance}/figures", token).ok(200)
    return found if found["items"] else None


def counted(world: World, token: str, id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = world.ask("GET", f"/instances?deployment={id}", token).ok(200)["items"]
    return found if any(i["restarts"] for i in found) else []


def test_staff_see_nodes(world: World) -> None:
    staff = world.login("operator")
    node = world.until(lambda: next((n for n in nodes(world, staff) if n["figures"]), None), 15, "a measured node")
    seen = node["figures"]
    assert 0 <= seen["cpu"] <= 100 and 0 < seen["memory_used"] < seen["memory_total"] and seen["disk_used"] < seen["disk_total"]
    assert seen["load"] >= 0 and seen["received"] >= 0 and node["instances"] >= 0
    history = world.until(  # fmt: skip
        lambda: (h if (h := world.ask("GET", f"/nodes/{node['node']}/figures?since=10m", staff).ok(200))["items"] else None),
        30, "its history",
    )
    assert history["node"] == node["node"] and history["step"] == 10
    assert set(history["items"][-1]) == {"time", "cpu", "cpu_max", "memory", "memory_max", "load", "disk", "received", "sent"}


def nodes(world: World, token: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = world.ask("GET", "/nodes", token).ok(200)["items"]
    return found


def test_bad_times_are_told_all_at_once(world: World) -> None:
    staff = world.login("operator")
    node = nodes(world, staff)[0]["node"]
    answer = world.ask("GET", f"/nodes/{node}/figures?since=yesterday&until=later&step=7", staff)
    assert answer.status == 422 and sorted(e["path"] for e in answer.json["errors"]) == ["since", "step", "until"]
    answer = world.ask("GET", f"/nodes/{node}/figures?since=9d&until=8d", staff)
    assert answer.status == 422 and "a day" in answer.json["errors"][0]["rule"]
    assert world.ask("GET", "/nodes/nobody/figures", staff).status == 404
    assert world.ask("GET", "/instances/nobody/figures", staff).status == 404
    assert world.ask("GET", "/figures?kind=house", staff).status == 422


def test_others_neither_see_nor_learn(world: World) -> None:
    ada, dora, uma = world.login("admin"), world.login("developer"), world.login("user")
    d = running(world, ada)
    (one,) = world.until(lambda: of(world, ada, f"deployment={d['id']}") or None, 15, "figures of its instance")
    assert of(world, dora, f"deployment={d['id']}") == []
    assert world.ask("GET", f"/instances/{one['instance']}/figures", dora).status == 404
    assert world.ask("GET", f"/figures?workspace={world.workspace('admin')}", dora).status == 403
    assert {i["workspace"] for i in of(world, dora)} <= {world.workspace("developer")}
    assert world.ask("GET", f"/nodes/{one['node']}/figures", dora).status == 403
    assert world.ask("GET", "/figures", uma).status == 403
    world.ask("DELETE", f"/deployments/{d['id']}", ada).ok(202)


# -- on twins alone: exact values ---------------------------------------------------------------------------------------


@pytest.fixture
def twins() -> MemoryWorld:
    return MemoryWorld()


def test_what_an_instance_burns_is_what_is_shown(twins: MemoryWorld) -> None:
    token, staff = twins.login("developer"), twins.login("operator")
    d = running(twins, token)
    (id,) = twins.instances(d["id"])
    twins.containers.instances[id].burns, twins.containers.instances[id].holds = 0.75, 100 << 20
    twins.pass_time(60)
    (one,) = of(twins, token, f"deployment={d['id']}")
    assert (one["cpu"], one["memory"], one["node"]) == (75.0, 100 << 20, "node1")
    told = twins.ask("GET", f"/instances/{id}/figures?since=30s&step=10s", token).ok(200)
    assert {(i["cpu"], i["cpu_max"], i["memory"]) for i in told["items"]} == {(75.0, 75.0, 100 << 20)}
    (node,) = nodes(twins, staff)
    others = sum(one.burns for one in twins.containers.alive() if one.id != id)
    assert node["instances"] == 1 and node["figures"]["cpu"] == pytest.approx(100 * (0.75 + others + 0.1) / 4, abs=0.1)


def test_a_day_is_kept_and_no_more(twins: MemoryWorld) -> None:
    for _ in range(3):
        twins.pass_time(15)
        twins.platform.clock.advance(9 * 3600)
        twins.pass_time(15)
    twins.platform.clock.advance(3600)
    twins.pass_time(15)
    told = twins.ask("GET", "/nodes/node1/figures?since=7d&step=1h", twins.login("operator")).ok(200)
    hours = [i["time"] for i in told["items"]]
    assert hours == sorted(hours) and len(hours) >= 3
    history = twins.platform.shared["figures"]
    oldest = min(min(times) for times in history._kept.values() if times)
    assert (twins.platform.clock.now() - oldest).total_seconds() < 26 * 3600


def test_a_node_that_falls_silent_shows_nothing_old(twins: MemoryWorld) -> None:
    staff = twins.login("operator")
    twins.pass_time(3)
    assert nodes(twins, staff)[0]["figures"]
    twins.platform.loops.pop(next(key for key in twins.platform.loops if key.endswith("agent")))
    twins.pass_time(11)
    assert nodes(twins, staff)[0]["figures"] is None and nodes(twins, staff)[0]["instances"] is None and of(twins, staff) == []
    twins.pass_time(10)
    steps = list(twins.platform.shared["figures"]._kept["node1"].values())
    assert steps, "what it said last is kept all the same"


def test_the_stream_gives_each_reader_its_own(twins: MemoryWorld) -> None:
    dora, otto = twins.login("developer"), twins.login("operator")
    d = running(twins, dora)
    twins.pass_time(3)
    (mine,) = twins.platform.peers.events("/figures/events", 1, dora)
    assert mine["of_node"] is None and [i["deployment"] for i in mine["instances"]] == [d["id"]]
    (all_of_it,) = twins.platform.peers.events("/figures/events?node=node1", 1, otto)
    assert all_of_it["node"] == "node1" and all_of_it["of_node"]["memory_total"]
    assert mine["instances"][0] in all_of_it["instances"]
    assert all_of_it["time"].endswith("Z")
