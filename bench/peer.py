"""The same work by Docker alone, in the same run: what Berth's figures are held against.

A build is `docker build` and `docker run` of the same code on the same runtime, to the first 200; nothing is validated, pushed,
bound, placed beside an old generation or routed. A crash is a Swarm service as `docker service create` makes it, to two running
tasks again; nothing asks whether they are well.
"""

from __future__ import annotations

import tempfile
import time
import urllib.error
import urllib.request
import uuid
from pathlib import Path

from tests.scenarios.real_world import docker

STEP = 0.01
PORT = 8989
PATIENCE = 60.0


def image_of(deployment: str) -> str:
    """The image of the deployment's newest service, as this host holds it."""
    services = docker("service", "ls", "-q", "--filter", f"label=berth.deployment={deployment}").split()
    return docker("service", "inspect", "-f", "{{.Spec.TaskTemplate.ContainerSpec.Image}}", services[0]).strip()


def build_and_run(runtime: str, code: str, times: int) -> list[float]:
    """Seconds from new code to its own answer. `code` holds MARK, which each turn replaces with a word of its own."""
    seconds = []
    for _ in range(times):
        mark, name = uuid.uuid4().hex, f"bench-peer-{uuid.uuid4().hex[:8]}"
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "app.py").write_text(code.replace("MARK", mark))
            (Path(folder) / "Dockerfile").write_text(f'FROM {runtime}\nCOPY app.py /peer.py\nCMD ["python3", "/peer.py"]\n')
            began = time.monotonic()
            try:
                docker("build", "-q", "-t", name, folder)
                docker("run", "-d", "--name", name, "-p", f"127.0.0.1:{PORT}:8000", name)
                while _get() != mark:
                    assert time.monotonic() - began < PATIENCE, "the peer's container does not answer"
                    time.sleep(STEP)
                seconds.append(time.monotonic() - began)
            finally:
                _quietly("rm", "-f", name)
                _quietly("rmi", "-f", name)
    return seconds


def crashes(image: str, times: int) -> list[float]:
    """Seconds from SIGKILL of a task to two running ones, with Swarm's own defaults."""
    name, seconds = f"bench-peer-{uuid.uuid4().hex[:8]}", list[float]()
    docker("service", "create", "--detach", "--replicas", "2", "--name", name, image, "python3", "-m", "http.server", "8000")
    try:
        for _ in range(times):
            before = _two(name, ())
            began = time.monotonic()
            docker("kill", "-s", "KILL", sorted(before)[0])
            _two(name, (sorted(before)[0],))
            seconds.append(time.monotonic() - began)
    finally:
        _quietly("service", "rm", name)
    return seconds


def _two(service: str, without: tuple[str, ...]) -> set[str]:
    """Its running containers, once there are two besides those that died."""
    end = time.monotonic() + PATIENCE
    while True:
        running = set(docker("ps", "-q", "--no-trunc", "--filter", f"label=com.docker.swarm.service.name={service}").split())
        if len(running - set(without)) == 2:
            return running - set(without)
        assert time.monotonic() < end, f"{service} does not get two running tasks"
        time.sleep(STEP)


def _get() -> str:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/", timeout=1) as answer:
            return str(answer.read().decode())
    except (urllib.error.URLError, OSError):
        return ""


def _quietly(*words: str) -> None:
    try:
        docker(*words)
    except AssertionError:
        pass
