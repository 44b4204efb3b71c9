"""Breaks parts of a running platform, one after the other, and says how long until they were there again."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from bench.thread import APP, MANIFEST, Door
from tests.scenarios.real_world import RealWorld, docker, logged
from tests.scenarios.story import add_device, new_name, upload, wait_for

AT_REST = 120.0
GIVEN_UP = 120.0
PHASES = (
    ("noticed", "no heartbeat of replica"), ("ordered", "attempt 1: its node"), ("killed", "its process was killed"),
)  # fmt: skip


@dataclass(frozen=True)
class Back:
    """`phases` are seconds since it was broken."""

    part: str
    seconds: float
    phases: Mapping[str, float] = field(default_factory=dict)


class Parts:
    """`names` are (subsystem, role) of those that have one replica: the monitor's leader is broken by `kill_leader`."""

    step = 0.05

    def __init__(self, world: RealWorld) -> None:
        self.world = world
        self._before: list[dict[str, Any]] = []
        self._before = self._settled()
        self.names = [(s["subsystem"], s["role"]) for s in self.subsystems() if len(s["replicas"]) == 1]

    @property
    def token(self) -> str:
        return self.world.login("operator")

    def subsystems(self) -> list[dict[str, Any]]:
        found = self.world.ask("GET", "/subsystems", self.token)
        return found.json["items"] if found.status == 200 else []

    def rest(self) -> None:
        """All that is known is ready, and nothing goes on: what one break did must not stand in the next one's figure."""
        self.world.until(lambda: self._at_rest() == [], AT_REST, f"the platform is at rest: {self._at_rest()}")

    def _settled(self) -> list[dict[str, Any]]:
        """Incidents that were open before, and stay: they are said and left out."""
        end = time.monotonic() + AT_REST
        while (going := self._at_rest()) and time.monotonic() < end:
            time.sleep(1)
        for one in going:
            print(f"open before, and left out: {one['title']}", flush=True)
        return going

    def _at_rest(self) -> list[dict[str, Any]]:
        """What goes on: incidents, and replicas that are not ready."""
        items, open = self.subsystems(), self.world.ask("GET", "/incidents?limit=0", self.token)
        left = {one.get("id") for one in self._before} | {one.get("replica") for one in self._before}
        found = open.json["items"] if open.status == 200 else [{"title": f"GET /incidents answered {open.status}"}]
        found += [r | {"title": f"{s['subsystem']} is {r['state']}"} for s in items for r in s["replicas"] if r["state"] != "ready"]
        found += [] if items else [{"title": "nobody is heard"}]
        return [one for one in found if one.get("id", one.get("replica", "")) not in left]

    def break_one(self, turn: int, how: str) -> Back:
        part = self.names[turn % len(self.names)]
        self.rest()
        (old,) = self.replicas(part)
        (container,) = self.world.containers(_service(part))
        began, wall = time.monotonic(), datetime.now(UTC)
        if how == "kill":
            docker("kill", "-s", "KILL", container)
        else:
            self.world.stand_still(_service(part))
        while not (new := [r for r in self.replicas(part) if r["replica"] != old["replica"] and r["state"] == "ready"]):
            assert time.monotonic() - began < GIVEN_UP, f"no new {part}: {self.incident(old['replica'])}"
            time.sleep(self.step)
        seconds = time.monotonic() - began
        phases = {"heard": (datetime.fromisoformat(new[0]["since"]) - wall).total_seconds(), "ready": seconds}
        for line in self.incident(old["replica"]).get("timeline", ()):
            for phase, text in PHASES:
                if text in line["text"]:
                    phases.setdefault(phase, (datetime.fromisoformat(line["at"]) - wall).total_seconds())
        return Back(" ".join(filter(None, part)), seconds, phases)

    def replicas(self, part: tuple[str, str]) -> list[dict[str, Any]]:
        return next((s["replicas"] for s in self.subsystems() if (s["subsystem"], s["role"]) == part), [])

    def incident(self, replica: str) -> dict[str, Any]:
        got = self.world.ask("GET", "/incidents?limit=20", self.token)
        return next((i for i in got.json["items"] if i["replica"] == replica), {}) if got.status == 200 else {}

    def kill_leader(self) -> float:
        """Until the other one has the lease under a newer number, by the time in its own line."""
        self.rest()
        monitors = self.world.containers("monitor")
        assert len(monitors) == 2, f"{len(monitors)} monitors"
        leader = self.world.leader()
        (other,) = set(monitors) - {leader}
        began, wall = time.monotonic(), datetime.now(UTC)
        docker("kill", "-s", "KILL", leader)
        while not (leads := [line for line in logged(other, "--since", wall.isoformat()) if line.get("event") == "leads"]):
            assert time.monotonic() - began < GIVEN_UP, "nobody leads"
            time.sleep(self.step)
        self.world.until(lambda: len(self.world.containers("monitor")) == 2, AT_REST, "two monitors again")
        return (datetime.fromisoformat(leads[0]["time"]) - wall).total_seconds()

    def hang_instances(self, repeats: int) -> list[float]:
        """Seconds from SIGSTOP of an instance's processes until the front door has its successor in its place."""
        world, token, name = self.world, self.world.login("developer"), new_name("alive")
        place = f"bench/{new_name('room')}"
        add_device(world, token, place, "temperature")
        manifest = MANIFEST.replace("NAME", name).replace("VERSION", "0").replace("WHERE", f"{place}/**").replace("PACKAGES", "")
        release = upload(world, token, {"berth.yml": manifest, "app.py": APP.replace("MARK", name)})
        id = world.ask("POST", "/deployments", token, json={"release": release["id"], "name": name}).ok(201)["id"]
        wait_for(world, token, id, "RUNNING", 1)
        path, door, seconds = f"/{world.workspace('developer')}/{name}/", Door(world.installation), list[float]()
        for turn in range(repeats):
            before = world.until(lambda: s if len(s := door.servers(path)) == 2 else None, 60, "two instances in the front door")
            instances = world.until(lambda: i if len(i := world.instances(id)) == 2 else None, 60, "two instances")
            began = time.monotonic()
            world.stand_still_instance(instances[turn % 2])
            while not (len(now := door.servers(path)) == 2 and now - before):
                assert time.monotonic() - began < GIVEN_UP, "no successor"
                time.sleep(self.step / 5)
            seconds.append(time.monotonic() - began)
        world.ask("DELETE", f"/deployments/{id}", world.login("developer"))
        return seconds


def _service(part: tuple[str, str]) -> str:
    """The agent has a name of its own."""
    return "agent" if part == ("node_manager", "agent") else ".".join(filter(None, part))
