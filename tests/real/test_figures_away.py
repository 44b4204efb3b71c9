"""Kafka is away for a while: nobody waits for it, what could not be sent is dropped and said, and figures come again by themselves."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.scenarios.real_world import RealWorld, docker
from tests.scenarios.test_figures import nodes

pytestmark = [pytest.mark.real, pytest.mark.disturbs]
AWAY = 30.0
"""Seconds, more than a record waits for its acknowledgement."""


def test_figures_come_again_after_kafka_does(real_world: RealWorld) -> None:
    staff = real_world.login("operator")
    (agent,) = real_world.containers("agent")
    before = real_world.until(lambda: measured(real_world, staff), 30, "figures")
    with real_world.without("kafka"):
        real_world.let_pass(AWAY)
    back = datetime.now(UTC)
    after = real_world.until(lambda: (m if (m := measured(real_world, staff)) and moment(m) > back else None), 60, "figures again")
    print(f"figures again {(datetime.now(UTC) - back).total_seconds():.1f} s after Kafka was started")
    assert real_world.containers("agent") == [agent], "the agent did not end for it"
    lines = [json.loads(line) for line in docker("logs", "--since", "3m", agent).splitlines() if line.startswith("{")]
    said = {line["event"]: line for line in lines}
    assert "figures_dropped" in said and said["figures_sent_again"]["dropped"] >= 3
    print("dropped:", said["figures_sent_again"]["dropped"])
    history = real_world.ask("GET", f"/nodes/{after['node']}/figures?since=5m", staff).ok(200)["items"]
    times = [datetime.fromisoformat(i["time"]) for i in history]
    assert times[0] <= moment(before) and real_world.until(lambda: kept(real_world, staff, after) > back, 30, "the history goes on")


def measured(world: RealWorld, token: str) -> dict[str, Any] | None:
    return next((n for n in nodes(world, token) if n["figures"]), None)


def moment(node: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(node["figures"]["time"])


def kept(world: RealWorld, token: str, node: dict[str, Any]) -> datetime:
    """The newest step."""
    items = world.ask("GET", f"/nodes/{node['node']}/figures?since=2m", token).ok(200)["items"]
    return max((datetime.fromisoformat(i["time"]) for i in items), default=datetime.fromtimestamp(0, UTC))
