"""A subsystem as a process of its own, asked over real sockets."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def eventually(holds: Callable[[], bool], seconds: float) -> float:
    """Seconds until it held; AssertionError after the deadline."""
    began = time.monotonic()
    while not holds():
        assert time.monotonic() < began + seconds, f"not within {seconds} s"
        time.sleep(0.02)
    return time.monotonic() - began


class Process:
    def __init__(self, command: list[str], environment: Mapping[str, str]) -> None:
        self.port, self.device = free_port(), ""
        env = {**os.environ, **environment, "BERTH_PORT": str(self.port), "PYTHONPATH": str(ROOT)}
        self.popen = subprocess.Popen([sys.executable, *command], cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True)

    def ask(self, method: str, path: str, body: Any = None, token: str = "") -> tuple[int, Any]:
        """Status 0: nobody listens."""
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        try:
            line.request(method, path, json.dumps(body) if body is not None else None, headers)
            answer = line.getresponse()
            raw = answer.read()
            return answer.status, json.loads(raw) if raw else None
        except OSError:
            return 0, None
        finally:
            line.close()

    def ready(self) -> bool:
        assert self.popen.poll() is None, "the process has ended"
        return self.ask("GET", "/ready")[0] == 200

    def stop(self, with_signal: int = signal.SIGTERM) -> tuple[int, float]:
        """The exit code and the seconds it took."""
        began = time.monotonic()
        self.popen.send_signal(with_signal)
        return self.popen.wait(20), time.monotonic() - began

    def lines(self) -> list[dict[str, Any]]:
        """What it said on standard out, once it has ended."""
        assert self.popen.stdout is not None
        return [json.loads(line) for line in self.popen.stdout.read().splitlines() if line.startswith("{")]


@contextmanager
def running(command: list[str], environment: Mapping[str, str], within: float = 20.0) -> Iterator[Process]:
    """A ready process, killed at the end where it still runs."""
    process = Process(command, environment)
    try:
        eventually(process.ready, within)
        yield process
    finally:
        if process.popen.poll() is None:
            process.popen.kill()
            process.popen.wait()
