"""Where the real backing services are, for tests that need one."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

import pytest


def address(name: str) -> str:
    """The setting's value; without it the test is skipped, or fails where REQUIRE_REAL=1."""
    if not os.environ.get(name):
        (pytest.fail if os.environ.get("REQUIRE_REAL") == "1" else pytest.skip)(f"no real backing service: set {name}")
    return os.environ[name]


def moved(url: str, port: int) -> str:
    """The same address, reached on 127.0.0.1:`port`."""
    parts = urlsplit(url)
    login, at, _ = parts.netloc.rpartition("@")
    return parts._replace(netloc=f"{login}{at}127.0.0.1:{port}").geturl()
