"""A part of the real platform that stands still, as Docker cannot see it: replaced, believed, and told line by line."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from tests.scenarios.real_world import RealWorld, process_of

pytestmark = [pytest.mark.real, pytest.mark.disturbs]
PART = "node_manager", "api"
SLOWEST = 60
"""Seconds on a machine that does much else; how fast it is, benchmarks say."""


class Platform:
    def __init__(self, world: RealWorld) -> None:
        self.world, self.token = world, world.login("operator")

    def replicas(self, part: tuple[str, str] = PART) -> list[dict[str, Any]]:
        got = self.world.ask("GET", "/subsystems", self.token)
        items = got.json["items"] if got.status == 200 else []
        return next((s["replicas"] for s in items if (s["subsystem"], s["role"]) == part), [])

    def the_one(self) -> dict[str, Any]:
        """The part's replica, once the monitor has heard of one alone."""
        return self.world.until(lambda: found[0] if len(found := self.replicas()) == 1 else None, 30, f"one replica of {PART}")

    def ready(self) -> bool:
        """All that is known is ready, and nothing is going on."""
        got, open = self.world.ask("GET", "/subsystems", self.token), self.open()
        return got.status == 200 and not open and all(r["state"] == "ready" for s in got.json["items"] for r in s["replicas"])

    def open(self) -> list[dict[str, Any]]:
        return [i for i in self.world.ask("GET", "/incidents?limit=0", self.token).ok(200)["items"] if i["kind"] != "silence"]

    def incident(self, replica: str) -> dict[str, Any] | None:
        """Of this replica, once it is closed."""
        items = self.world.ask("GET", "/incidents", self.token).ok(200)["items"]
        return next((i for i in items if i["replica"] == replica and i["state"] == "closed"), None)


@pytest.fixture
def platform(real_world: RealWorld) -> Iterator[Platform]:
    found = Platform(real_world)
    real_world.until(found.ready, 60, "the platform is at rest")
    yield found
    real_world.until(found.ready, 60, "the platform is at rest again")


def test_one_that_stands_still_is_replaced_by_one_whose_heartbeat_is_heard(platform: Platform) -> None:
    before = platform.the_one()
    (container,) = platform.world.containers("node_manager.api")
    process = process_of(container)
    os.kill(process, signal.SIGSTOP)
    try:
        incident = platform.world.until(lambda: platform.incident(before["replica"]), SLOWEST, "the incident is closed")
    finally:
        try:
            os.kill(process, signal.SIGCONT)
        except ProcessLookupError:
            pass
    texts = [line["text"] for line in incident["timeline"]]
    print(f"{incident['seconds']} s from the last heartbeat to the successor's;", incident["timeline"])
    assert incident["outcome"] == "replaced" and incident["attempts"] >= 1
    assert texts[0] == "its last heartbeat" and texts[1].startswith("no heartbeat of replica")
    assert any("its process was killed: GET /live" in text for text in texts) and texts[-1].startswith("a new heartbeat")
    (after,) = [r for r in platform.replicas() if r["replica"] == incident["successor"]]
    assert after["replica"] != before["replica"] and after["state"] in ("ready", "waiting")
    assert platform.world.containers("node_manager.api") not in ([], [container])


def test_a_person_restarts_a_part(platform: Platform) -> None:
    before = platform.the_one()
    # either monitor may answer, and one hears a new replica up to a second after the other
    taken = lambda: platform.world.ask("POST", f"/subsystems/{before['replica']}/restart", platform.token).status == 202  # noqa: E731
    platform.world.until(taken, 5, "the order is taken")
    incident = platform.world.until(lambda: platform.incident(before["replica"]), SLOWEST, "the incident is closed")
    assert (incident["kind"], incident["outcome"]) == ("restart", "replaced")
