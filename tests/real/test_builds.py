"""Builds with a real Docker, registry and package index: packages fetched once, code-only changes quick, mistakes named."""

from __future__ import annotations

import io
import os
import uuid
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from backbone.clock import SystemClock
from backbone.memory import MemoryPlatform
from contracts.messages.release import BuildPlan
from deployer.build import Build
from deployer.making import Broken, Made, Maker
from tests.support.container_homes import DockerHome

pytestmark = pytest.mark.real
APP = "import paho.mqtt\nprint('here')\n"
PACKAGES = "# what it needs\npaho-mqtt==2.1.0\n"


class Workshop:
    """A maker on the real engine, with names of its own; the zips lie in a twin."""

    def __init__(self) -> None:
        self.home = DockerHome()
        self.containers = self.home.containers
        ca = os.environ.get("SSL_CERT_FILE", "/etc/ssl/certs/ca-certificates.crt")
        self.platform = MemoryPlatform({
            "BERTH_INSTALLATION": f"depl-test-{uuid.uuid4().hex[:8]}", "REGISTRY_URL": self.home.registry,
            "BERTH_RUNTIME_PYTHON": self.home.base, "BERTH_FETCH_IMAGE": self.home.image_like("berth/fetch-python:"),
            "BERTH_BUILD_CA": Path(ca).read_text(),
        }, self.containers)  # fmt: skip
        self.maker = Maker(self.platform.backbone("deployer"))
        self.said: list[str] = []
        self.made: list[tuple[str, Made]] = []

    def make(self, release: str, files: dict[str, str]) -> Made:
        data = io.BytesIO()
        with zipfile.ZipFile(data, "w") as zip:
            for name, text in files.items():
                zip.writestr(name, text)
        self.platform.blobs.put("releases", f"{release}.zip", data.getvalue())
        plan = BuildPlan(service="web", runtime="python", command="python app.py", packages="requirements.txt")
        build = Build(release=release, app="a", workspace="w", blob=f"releases/{release}.zip", services=(plan,), asked=SystemClock().now())
        made = self.maker.make(build, lambda _, line: self.said.append(line), lambda _: None)
        self.made.append((release, made))
        return made

    def close(self) -> None:
        for release, made in self.made:
            for name in (self.maker.tag(release, "web"), *made.images.values(), *made.layers):
                self.containers.images.remove(name)


@pytest.fixture
def workshop() -> Iterator[Workshop]:
    workshop = Workshop()
    try:
        yield workshop
    finally:
        workshop.close()


def test_packages_are_fetched_once_and_the_app_finds_them(workshop: Workshop) -> None:
    clock = SystemClock()
    first = workshop.make("r1", {"app.py": APP, "requirements.txt": PACKAGES})
    assert any("Collecting paho-mqtt" in line for line in workshop.said)
    workshop.said.clear()
    began = clock.monotonic()
    second = workshop.make("r2", {"app.py": APP + "# changed\n", "requirements.txt": PACKAGES})
    print(f"code-only build: {clock.monotonic() - began:.2f} s")
    assert not any("Collecting" in line for line in workshop.said)
    assert first.layers == second.layers and first.images != second.images
    services, home = workshop.containers.services, workshop.home
    services.make(home.spec(second.images["web"]))
    try:
        home.until(lambda: "here" in services.lines(f"{home.prefix}-web", 20))
    finally:
        home.close()


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"app.py": APP, "requirements.txt": PACKAGES + "paho-mqttt\n"}, "No package paho-mqttt (requirements.txt, line 3)."),
        ({"app.py": APP, "requirements.txt": "paho-mqtt==99\n"}, "No version of paho-mqtt fits paho-mqtt==99 (requirements.txt, line 1)."),
        ({"app.py": "def (", "requirements.txt": ""}, "app.py, line 1: SyntaxError: invalid syntax"),
    ],
)
def test_mistakes_are_named_with_their_line(workshop: Workshop, files: dict[str, str], reason: str) -> None:
    with pytest.raises(Broken) as broken:
        workshop.make("r1", files)
    assert broken.value.reason == reason


def test_no_address_of_the_index_is_in_the_log(workshop: Workshop) -> None:
    workshop.make("r1", {"app.py": APP, "requirements.txt": PACKAGES})
    assert not [line for line in map(workshop.maker.scrub, workshop.said) if "://" in line]
