"""No printed line is lost: not by an agent that is killed, not by a Kafka that is away; and each comes soon after it was printed."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from contracts.lines import LONGEST, Line
from tests.scenarios.real_world import RealWorld, docker
from tests.scenarios.story import new_name, upload, wait_for
from tests.scenarios.test_lines import MANIFEST

pytestmark = [pytest.mark.real, pytest.mark.disturbs]
COUNT = 2_000
APP = '''import http.server, os, threading, time

def say():
    for n in range(2000):
        print("line", n, "x" * (40000 if n % 500 == 250 else 10))
        time.sleep(0.006)

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path.endswith("/begin"):
            threading.Thread(target=say).start()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_):
        pass

http.server.ThreadingHTTPServer(("", int(os.environ["PORT"])), Handler).serve_forever()
'''
READ = """
import json, sys, time
from backbone.bus.records import open_records
from backbone.settings import Settings
from contracts.topics import LINES
begun = time.time()
consumer = open_records(Settings.from_environment()).consumer(None, [LINES])
old = begun + 3
while time.time() < old + 1.5:
    for record in consumer.poll(1000, 0.5):
        if record.time_ms < begun * 1000:
            old = max(old, time.time())
        if sys.argv[1].encode() in record.value:
            print(json.dumps([record.time_ms, record.value.decode()]))
"""
"""Until for a while nothing came that was sent before the reading began: others send on and on."""


@dataclass
class Talker:
    """A running app that prints its numbered lines once it is asked to."""

    world: RealWorld
    deployment: str
    link: str

    def begin(self) -> None:
        assert self.world.visit(self.link, "begin").status == 200

    def arrived(self) -> list[tuple[float, Line]]:
        """(seconds from printed to acknowledged by Kafka, the line), as they came on the topic, repeats left out."""
        (reader,) = self.world.containers("logger")
        words = ["/usr/bin/docker", "exec", reader, "python3", "-c", READ, self.deployment]
        done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=True)
        rows = [json.loads(row) for row in done.stdout.splitlines() if row.startswith("[")]
        found: dict[int, tuple[float, Line]] = {}
        for time_ms, value in rows:
            line = Line.decoded(value.encode())
            if line.kind == "app" and line.deployment == self.deployment and line.text.startswith("line "):
                found.setdefault(line.position, (time_ms / 1000 - line.time.timestamp(), line))
        print(f"{len(rows)} records, {len(found)} lines")
        return list(found.values())

    def numbers(self) -> list[int]:
        return [int(line.text.split()[1]) for _, line in self.arrived()]


@pytest.fixture
def talker(real_world: RealWorld) -> Iterator[Talker]:
    token, name = real_world.login("developer"), new_name("talks")
    release = upload(real_world, token, {"berth.yml": MANIFEST.format(name=name), "app.py": APP})
    body: dict[str, Any] = {"release": release["id"], "instances": {"web": 1}}
    made = real_world.ask("POST", "/deployments", token, json=body).ok(201)
    d = wait_for(real_world, token, made["id"], "RUNNING", 1)
    real_world.until(lambda: real_world.visit(d["link"]).status == 200 or None, 30, "the app answers")
    yield Talker(real_world, d["id"], d["link"])
    real_world.ask("POST", f"/deployments/{d['id']}/stop", token).ok(202)
    wait_for(real_world, token, d["id"], "STOPPED", 2)


def pause(world: RealWorld, seconds: float) -> None:
    """Something is given time to go wrong."""
    import time

    end = time.monotonic() + seconds
    world.until(lambda: time.monotonic() >= end or None, seconds + 1, "a while")


def all_there(talker: Talker, seconds: float) -> list[int]:
    """The numbers in the order of their coming, once the last has come."""
    found: list[int] = []

    def look() -> bool:
        found[:] = talker.numbers()
        return COUNT - 1 in found

    talker.world.until(look, seconds, "the last line")
    return found


def agent_killed(world: RealWorld) -> None:
    (before,) = world.containers("agent")
    docker("kill", "-s", "KILL", before)
    world.until(lambda: world.containers("agent") not in ([], [before]) or None, 30, "a new agent")


def test_lines_outlive_an_agent_that_is_killed(talker: Talker) -> None:
    talker.begin()
    pause(talker.world, 2)
    agent_killed(talker.world)
    pause(talker.world, 3)
    agent_killed(talker.world)
    assert all_there(talker, 90) == list(range(COUNT))


@pytest.mark.parametrize("act", ["pause", "stop"])
def test_lines_outlive_a_kafka_that_is_away(talker: Talker, act: str) -> None:
    kafka = f"{talker.world.installation}-kafka"
    back: Callable[[], str] = lambda: docker({"pause": "unpause", "stop": "start"}[act], kafka)  # noqa: E731
    talker.begin()
    pause(talker.world, 2)
    docker(act, kafka)
    try:
        pause(talker.world, 6)
    finally:
        back()
    assert all_there(talker, 120) == list(range(COUNT))


def test_a_line_is_with_kafka_a_moment_after_it_was_printed(talker: Talker) -> None:
    talker.begin()
    assert all_there(talker, 60) == list(range(COUNT))
    arrived = talker.arrived()
    took = sorted(seconds for seconds, _ in arrived)
    print(f"seconds from printed to Kafka: median {took[COUNT // 2]:.3f}, p99 {took[COUNT * 99 // 100]:.3f}, most {took[-1]:.3f}")
    assert took[COUNT * 99 // 100] < 2
    long = next(line for _, line in arrived if line.text.startswith("line 250 "))
    assert len(long.text) == LONGEST and long.text.endswith("(cut)"), "what Docker had cut in pieces is one line"
