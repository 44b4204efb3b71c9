"""A real browser before the pages: once on twins in a process of their own, once on the installation that is tested."""

from __future__ import annotations

import base64
import hashlib
import os
import socket
import ssl
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.scenarios.memory_world import PEOPLE
from tests.support import npm
from tests.support.apart import Apart

ROOT = Path(__file__).parents[2]
CHROMIUM = "/usr/bin/chromium"
STARTED = 90.0
LIVE = 30_000.0


@dataclass(frozen=True)
class Ground:
    """Where the pages are. `spki` is what the browser trusts besides its own authorities."""

    name: str
    url: str
    passwords: dict[str, str]
    ports: tuple[int, ...]
    spki: str = ""

    @property
    def real(self) -> bool:
        return self.name == "real"


@pytest.fixture(scope="session")
def twins() -> Iterator[Ground]:
    npm.pages()
    port = free_port()
    env = os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT / 'sdk'}"}
    log = open(os.devnull, "w")  # noqa: SIM115
    process = subprocess.Popen([sys.executable, "-m", "tests.support.dev_platform", str(port), "empty"], cwd=ROOT, env=env, stdout=log)
    url = f"http://127.0.0.1:{port}"
    try:
        answering(f"{url}/login", process)
        yield Ground("twins", url, {name: f"pw-{name}" for name in (*PEOPLE.values(), "ugo")}, (port,))
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture(scope="session", params=["twins", pytest.param("real", marks=pytest.mark.real)])
def ground(request: pytest.FixtureRequest) -> Ground:
    if request.param == "twins":
        found: Ground = request.getfixturevalue("twins")
        return found
    real = request.getfixturevalue("real_world")
    ports = tuple(urlsplit(url).port or 443 for url in (real.ui, real.apps))
    return Ground("real", real.ui, real.passwords, ports, key_of(real.ui, real.ca))


@pytest.fixture(scope="session")
def browser(ground: Ground, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    if not Path(CHROMIUM).exists():
        (pytest.fail if os.environ.get("REQUIRE_REAL") == "1" else pytest.skip)("Chromium is not here: apt install chromium")
    args = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
    args += [f"--ignore-certificate-errors-spki-list={ground.spki}"] if ground.spki else []
    apart = Apart(tmp_path_factory.mktemp("apart"), ground.ports, CHROMIUM)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=apart.start(), args=args)
        yield browser
        browser.close()
    apart.stop()


@pytest.fixture
def context(browser: Browser, ground: Ground) -> Iterator[BrowserContext]:
    made = browser.new_context(base_url=ground.url, viewport={"width": 1440, "height": 900})
    made.set_default_timeout(LIVE)
    expect.set_options(timeout=LIVE)
    yield made
    made.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """What the browser complains of fails the test: scripts that break, and what the pages' policy refused."""
    page = context.new_page()
    broken: list[str] = []
    page.on("pageerror", lambda error: broken.append(str(error)))
    page.on("console", lambda said: broken.append(said.text) if "Content Security Policy" in said.text else None)
    yield page
    assert not broken, broken


def login(page: Page, ground: Ground, name: str = "dora") -> None:
    page.goto("/login")
    page.fill("#u", name)
    page.fill("#p", ground.passwords[name])
    page.get_by_role("button", name="Log in", exact=True).click()
    page.wait_for_url("**/")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def answering(url: str, process: Any) -> None:
    end = time.monotonic() + STARTED
    while True:
        assert process.poll() is None, f"the platform ended with {process.returncode}"
        try:
            urllib.request.urlopen(url, timeout=2).close()
            return
        except OSError:
            assert time.monotonic() < end, f"{url} did not answer in {STARTED} s"
            time.sleep(0.2)


def key_of(url: str, ca: Path) -> str:
    """The public key of the certificate that the address shows, once the authority has vouched for it."""
    at = urlsplit(url)
    context = ssl.create_default_context(cafile=str(ca))
    plain = socket.create_connection((at.hostname, at.port), timeout=10)
    with context.wrap_socket(plain, server_hostname=at.hostname) as tls:
        certificate = tls.getpeercert(binary_form=True)
    words = ["openssl", "x509", "-inform", "DER", "-pubkey", "-noout"]
    pem = subprocess.run(words, input=certificate, capture_output=True, check=True, timeout=20).stdout
    der = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "DER"], input=pem, capture_output=True, check=True, timeout=20).stdout
    return base64.b64encode(hashlib.sha256(der).digest()).decode()
