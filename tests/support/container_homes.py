"""Both homes of the containers port, with an image to stand on, names of the test's own, and a way to wait."""

from __future__ import annotations

import io
import os
import tarfile
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from backbone.clock import ManualClock
from backbone.containers import Containers, Limits, ServiceSpec
from backbone.containers.engine import open_engine
from backbone.containers.memory import MemoryContainers
from backbone.settings import Settings
from contracts.errors import Unavailable
from tests.support.process import eventually
from tests.support.real import address

APP = """import http.server, os, signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
def respond(method, path):
    return 200, {}, os.environ.get("X", "hello")
if __name__ == "__main__":
    print("serving")
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            status, headers, body = respond("GET", self.path)
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body.encode())
    http.server.HTTPServer(("", 8000), Handler).serve_forever()
"""
LIMITS = Limits(seconds=120)
LAST = 'ENV PYTHONUNBUFFERED=1\nWORKDIR /app\nCMD ["python3", "app.py"]\nCOPY code/ /app/\nRUN python3 -m compileall -q /app\n'


class Home:
    """`prefix` begins every name, `labels` are on everything."""

    containers: Containers
    base: str
    registry: str

    def __init__(self) -> None:
        self.prefix = f"depl-test-{uuid.uuid4().hex[:8]}"
        self.labels = {"berth.installation": self.prefix, "berth.deployment": "d1", "berth.probe": '{"path": "/"}'}

    @property
    def tag(self) -> str:
        return f"{self.registry}/{self.prefix}:one"

    def until(self, holds: Callable[[], Any]) -> None:
        raise NotImplementedError

    def image(self, app: str = APP) -> str:
        """An app's image in the registry, by digest."""
        lines: list[str] = []
        done = self.containers.images.build(
            self.tag, context(f"FROM {self.base}\n{LAST}", {"code/app.py": app}), {}, LIMITS, lambda _, line: lines.append(line)
        )
        assert not done.error, lines
        return self.containers.images.push(self.tag)

    def spec(self, image: str, **more: Any) -> ServiceSpec:
        return ServiceSpec(f"{self.prefix}-web", image, self.labels, port=8000, dns=("127.0.0.1",), **more)

    def addresses(self) -> list[str]:
        return [one.address for one in self.containers.node.local(self.labels) if one.address]

    def close(self) -> None:
        services = self.containers.services
        for service in services.services(self.labels):
            services.remove(service.name)
        for secret in services.secrets(self.labels):
            services.remove_secret(secret)
        self.until(lambda: not self.containers.node.local(self.labels))


class MemoryHome(Home):
    def __init__(self) -> None:
        super().__init__()
        self._clock = ManualClock()
        self.containers = MemoryContainers(self._clock)
        self.base, self.registry = "python:memory", "registry:5000"

    def until(self, holds: Callable[[], Any]) -> None:
        for _ in range(100):
            if holds():
                return
            self._clock.advance(0.1)
        raise AssertionError("it never came to hold")


class DockerHome(Home):
    def __init__(self) -> None:
        super().__init__()
        self.registry = address("REGISTRY_URL")
        ca = os.environ.get("BERTH_CA_FILE") or os.environ.get("BERTH_CA", "")
        values = {name: os.environ.get(name, "") for name in ("REGISTRY_URL", "REGISTRY_USER", "REGISTRY_PASSWORD")}
        try:
            self.containers = open_engine(Settings(values | {"BERTH_CA": Path(ca).read_text() if ca.startswith("/") else ca}))
            found = self.containers.images.images({})
        except Unavailable as error:
            (pytest.fail if os.environ.get("REQUIRE_REAL") == "1" else pytest.skip)(error.detail)
        self._newest = [i.tag for i in sorted(found, key=lambda i: i.created, reverse=True)]
        self.base = self.image_like("berth/runtime-python:")

    def image_like(self, part: str) -> str:
        """The newest image here whose tag holds `part`, as `up` has made it."""
        return next(tag for tag in self._newest if part in tag)

    def until(self, holds: Callable[[], Any]) -> None:
        eventually(lambda: bool(holds()), 30)

    def close(self) -> None:
        super().close()
        self.containers.images.remove(self.tag)


HOMES: dict[str, type[Home]] = {"memory": MemoryHome, "docker": DockerHome}


def context(dockerfile: str, files: dict[str, str]) -> io.BytesIO:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, text in {"Dockerfile": dockerfile, **files}.items():
            info = tarfile.TarInfo(name)
            info.size = len(text.encode())
            tar.addfile(info, io.BytesIO(text.encode()))
    out.seek(0)
    return out
