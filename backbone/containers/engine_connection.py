"""The connection to Docker by docker-py: one client per thread, the registry's login, errors as ours."""

from __future__ import annotations

import base64
import json
import ssl
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import docker  # type: ignore[import-untyped]  # its stubs lag behind it
import urllib3  # docker-py lets its errors through

from backbone.settings import Settings
from contracts.errors import Invalid, Unavailable

TIMEOUT = 30
USER = "20001:20001"
BROKEN = (OSError, urllib3.exceptions.HTTPError, docker.errors.DockerException)
"""Whatever a call to Docker may raise when Docker is away, or was cut off."""


@contextmanager
def told(what: str) -> Iterator[None]:
    """Docker's errors as ours: what is not there passes as docker's NotFound, bad input is Invalid, all else Unavailable."""
    try:
        yield
    except docker.errors.NotFound:
        raise
    except docker.errors.APIError as error:
        if error.response is not None and error.response.status_code in (400, 406):
            raise Invalid(f"{what}: {error.explanation or error}") from error
        raise Unavailable(f"{what}: {error.explanation or error}") from error
    except BROKEN as error:
        raise Unavailable(f"{what}: Docker does not answer ({type(error).__name__}: {error}).") from error


class Connection:
    """One client per thread; the registry's login as docker-py reads it (only the "auth" form works for services)."""

    def __init__(self, settings: Settings) -> None:
        self.registry = settings.text("REGISTRY_URL", "")
        self.login = (settings.text("REGISTRY_USER", ""), settings.secret("REGISTRY_PASSWORD", "").reveal())
        ca = settings.text("BERTH_CA", "")
        self.tls = ssl.create_default_context(cadata=ca if "BEGIN CERTIFICATE" in ca else None)
        self._threads = threading.local()

    @property
    def api(self) -> Any:
        if not hasattr(self._threads, "api"):
            self._threads.api = self.client(TIMEOUT)
        return self._threads.api

    def client(self, timeout: float, kind: Any = docker.APIClient) -> Any:
        with told("connecting to Docker"):
            client = kind(base_url="unix:///var/run/docker.sock", version="auto", timeout=timeout)
        if self.registry and self.login[0]:
            auth = base64.b64encode(":".join(self.login).encode()).decode()
            with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
                json.dump({"auths": {self.registry: {"auth": auth}}}, file)
                file.flush()
                client.reload_config(file.name)
        return client


def by_labels(labels: Mapping[str, str]) -> dict[str, Any]:
    return {"label": [f"{k}={v}" if v else k for k, v in labels.items()]}
