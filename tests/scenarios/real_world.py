"""The whole platform as it is run: an installation in containers, asked through its front door, broken through Docker."""

from __future__ import annotations

import contextlib
import json as jsons
import os
import signal
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest

from tests.scenarios.world import Answer

T = TypeVar("T")
PEOPLE = {"admin": "ada", "operator": "otto", "developer": "dora", "user": "uma"}
PAUSE = 0.1
REPLACED = 30.0
"""Seconds for which a question that got 503 is asked again, as the answer says to: a part of one replica is being replaced."""
PARTS = {"agent": "node_manager", "haproxy": "gateway"}


def docker(*words: str) -> str:
    """What the docker client prints; its error where it fails."""
    done = subprocess.run(["/usr/bin/docker", *words], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, f"docker {' '.join(words)}: {done.stderr}"
    return done.stdout


class RealWorld:
    """`home` is the installation's folder, as `up` left it."""

    name = "real"

    def __init__(self, home: Path) -> None:
        facts = jsons.loads((home / "installation.json").read_text())
        self.installation, base = facts["name"], facts["base_port"]
        self.ca = home / "ca.crt"
        self.ui, self.apps = f"https://localhost:{base + 443}", f"https://127.0.0.1:{base + 444}"
        rows = (line.split(maxsplit=3) for line in (home / "secrets/all/people").read_text().splitlines())
        self.passwords = {user: password for user, _, password, _ in rows}
        self.tls = ssl.create_default_context(cafile=str(self.ca))
        self._client = httpx.Client(verify=self.tls, timeout=60, trust_env=False)
        self._tokens: dict[str, tuple[str, float]] = {}

    def login(self, role: str) -> str:
        token, until = self._tokens.get(role, ("", 0.0))
        if time.monotonic() > until:
            username = PEOPLE[role]
            told = self.ask("POST", "/session", json={"username": username, "password": self.passwords[username]}).ok(201)
            token = told["access_token"]
            self._tokens[role] = (token, time.monotonic() + told["expires_in"] / 2)
        return token

    def workspace(self, role: str) -> str:
        return PEOPLE[role]

    def ask(
        self, method: str, path: str, token: str = "", json: Any = None, body: bytes | None = None, trace: str = "", kind: str = ""
    ) -> Answer:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        headers |= {"traceparent": f"00-{trace}-{trace[:16]}-01"} if trace else {}
        content = body if body is not None else jsons.dumps(json).encode() if json is not None else None
        headers |= {"Content-Type": kind or "application/json"} if content is not None else {}
        end = time.monotonic() + REPLACED
        while True:
            last = not (method == "GET" or path == "/session") or time.monotonic() > end  # two logins harm as little as two looks
            try:
                got = self._client.request(method, f"{self.ui}/api/v1{path}", content=content, headers=headers)
            except httpx.RemoteProtocolError:  # a kept connection, closed without a word: its request's replica died (RFC 9112 9.3.1)
                if last:
                    raise
            else:
                if got.status_code != 503 or last:
                    return Answer(got.status_code, got.content, {k.lower(): v for k, v in got.headers.items()})
            time.sleep(PAUSE)

    def visit(self, link: str, path: str = "") -> Answer:
        try:
            got = self._client.get(link + path)
        except httpx.TransportError as error:
            return Answer(0, str(error).encode())
        return Answer(got.status_code, got.content, dict(got.headers))

    def until(self, look: Callable[[], T | None], seconds: float, what: str) -> T:
        end = time.monotonic() + seconds
        while True:
            found = look()
            if found is not None and found is not False:
                return found
            assert time.monotonic() < end, f"not in {seconds} s: {what}"
            time.sleep(PAUSE)

    def instances(self, deployment: str) -> list[str]:
        return docker("ps", "-q", "--no-trunc", "-f", f"label=berth.deployment={deployment}", "-f", "status=running").split()

    def kill_instance(self, instance: str) -> None:
        docker("kill", "-s", "KILL", instance)

    def die_between(self, subsystem: str, act: Callable[[], object], stored: Callable[[], bool]) -> None:
        """Kafka stands still, so that what is stored cannot be said; the subsystem's process is killed in that very state."""
        kafka = f"{self.installation}-kafka"
        (container,) = self.containers(subsystem)
        docker("pause", kafka)
        try:
            thread = threading.Thread(target=lambda: _quietly(act), daemon=True)
            thread.start()
            self.until(lambda: stored() or None, 20, "the change is stored")
            docker("kill", "-s", "KILL", container)
        finally:
            docker("unpause", kafka)
        self.until(lambda: self.containers(subsystem) not in ([], [container]) or None, 30, f"a new {subsystem}")

    def sources(self, trace: str) -> set[str]:
        found = set()
        for name in docker("ps", "-a", "--format", "{{.Names}}", "-f", f"name=^{self.installation}-").split():
            words = ["/usr/bin/docker", "logs", "--since", "20m", name]
            done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
            if trace in done.stdout + done.stderr:
                found.add(_part(name.removeprefix(f"{self.installation}-").split(".")[0].replace("-", "_")))
        return found

    def stand_still(self, part: str) -> None:
        (container,) = self.containers(part)
        os.kill(process_of(container), signal.SIGSTOP)

    def stand_still_instance(self, instance: str) -> None:
        for process, _ in processes(instance):
            os.kill(process, signal.SIGSTOP)

    def kill_leader(self) -> None:
        docker("kill", "-s", "KILL", self.leader())

    def seconds(self) -> float:
        return time.monotonic()

    def leader(self) -> str:
        """The monitor's container that leads, by its own last word; of two that say so, the one with the newer number."""
        leads: dict[str, int] = {}
        for container in self.containers("monitor"):
            for line in logged(container):
                if line.get("event") == "leads":
                    leads[container] = line["fence"]
                elif line.get("event") == "follows":
                    leads.pop(container, None)
        assert leads, "no monitor says that it leads"
        return max(leads, key=lambda container: leads[container])

    @contextlib.contextmanager
    def without(self, service: str) -> Iterator[None]:
        docker("stop", "-t", "5", f"{self.installation}-{service}")
        try:
            yield
        finally:
            docker("start", f"{self.installation}-{service}")

    def let_pass(self, seconds: float) -> None:
        time.sleep(seconds)

    def lines_about(self, text: str) -> set[str]:
        got = self.ask("GET", f"/lines?kind=subsystem&text={text}&limit=1000", self.login("operator"))
        return {line["service"].split(".")[0] for line in got.json["items"]} if got.status == 200 else set()

    def containers(self, service: str) -> list[str]:
        """The running containers of one of the platform's own services (app-controller, sensor-manager-intake)."""
        name = f"{self.installation}-{service.replace('_', '-').replace('.', '-')}"
        label = f"label=com.docker.swarm.service.name={name}"
        return docker("ps", "-q", "--no-trunc", "-f", label, "-f", "status=running").split()


def processes(container: str) -> list[tuple[int, int]]:
    """(process, its parent), by the host's numbers, without the container's init."""
    rows = [line.split(None, 2) for line in docker("top", container, "-eo", "pid,ppid,args").splitlines()[1:]]
    return [(int(pid), int(parent)) for pid, parent, args in rows if "docker-init" not in args]


def process_of(container: str) -> int:
    """A subsystem's own process; the agent's has its guard above it."""
    found = dict(processes(container))
    return next(pid for pid in found if pid not in found.values())


def logged(container: str, *words: str) -> list[dict[str, Any]]:
    """A subsystem's lines; `words` are further options of `docker logs`."""
    lines = docker("logs", *words, container).splitlines()
    return [found for line in lines if line.startswith("{") and isinstance(found := jsons.loads(line), dict)]


def _part(container: str) -> str:
    """The subsystem whose lines a container prints: sensor_manager_api is sensor_manager's, HAProxy's are the gateway's."""
    roles = ("sensor_manager", "node_manager")
    return next((role for role in roles if container.startswith(role)), PARTS.get(container, container))


def _quietly(act: Callable[[], object]) -> None:
    with contextlib.suppress(Exception):  # the other side dies while it is asked: that is the point
        act()


def home() -> Path:
    """The installation that the tests were given; without one the test is skipped, or fails where REQUIRE_REAL=1."""
    name = os.environ.get("BERTH_TEST_INSTALLATION", "")
    found = Path(os.environ.get("BERTH_HOME", "/var/lib/berth")) / name
    if not name or not (found / "installation.json").exists():
        (pytest.fail if os.environ.get("REQUIRE_REAL") == "1" else pytest.skip)(
            "no installation to test: run `./berth test`, or set BERTH_TEST_INSTALLATION to the name of one that is up"
        )
    return found
