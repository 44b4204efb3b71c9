"""Whether what the platform stands on answers, each backing service in its own protocol."""

from __future__ import annotations

import http.client
import ssl
import threading
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from backbone.settings import Settings
from contracts.errors import Unavailable

Question = Callable[[], None]
"""Returns when the service answers, else raises Unavailable with the reason. Safe to share between threads."""

PATIENCE = 5.0
ALIVE = "/alive"
"""What HAProxy answers itself on its internal listener, without a line in its log (gateway.config)."""


def over_http(settings: Settings) -> Mapping[str, Question]:
    """Those without a port of their own: REGISTRY_URL (host:port, TLS by BERTH_CA_FILE), and HAProxy at BERTH_INTERNAL_URL.

    The registry is not asked at /v2/, where it writes a warning about each caller without a password.
    """
    text = settings.text
    registry = HttpService("the registry", f"https://{text('REGISTRY_URL', 'registry:5000')}/", text("BERTH_CA_FILE", ""))
    door = HttpService("HAProxy", text("BERTH_INTERNAL_URL", "http://haproxy:8090") + ALIVE)
    return {"registry": registry.ready, "haproxy": door.ready}


class HttpService:
    """One connection that is kept: a question each two seconds must cost next to nothing."""

    def __init__(self, name: str, url: str, ca: str = "") -> None:
        self._name, self._url, self._ca = name, urlsplit(url), ca
        self._lock = threading.Lock()
        self._connection: http.client.HTTPConnection | None = None

    def ready(self) -> None:
        """An answer under 500 is one: a registry that asks who we are is there."""
        with self._lock:
            kept = self._connection is not None
            try:
                status = self._ask()
            except (OSError, http.client.HTTPException) as error:
                if not kept:
                    raise self._away(error) from error
                status = self._again()
        if status >= 500:
            raise Unavailable(f"{self._name} at {self._url.netloc} answered {status}")

    def _again(self) -> int:
        """A connection that was kept may have been closed by the other side meanwhile."""
        try:
            return self._ask()
        except (OSError, http.client.HTTPException) as error:
            raise self._away(error) from error

    def _ask(self) -> int:
        connection = self._connection or self._open()
        try:
            connection.request("GET", self._url.path)
            answer = connection.getresponse()
            answer.read()
        except BaseException:
            self._connection = None
            connection.close()
            raise
        self._connection = connection
        return answer.status

    def _open(self) -> http.client.HTTPConnection:
        if self._url.scheme == "http":
            return http.client.HTTPConnection(self._url.netloc, timeout=PATIENCE)
        context = ssl.create_default_context(cafile=self._ca or None)
        return http.client.HTTPSConnection(self._url.netloc, timeout=PATIENCE, context=context)

    def _away(self, error: Exception) -> Unavailable:
        return Unavailable(f"{self._name} at {self._url.netloc} does not answer: {error or type(error).__name__}")


class MemoryService:
    """The twin: a test sets `away` to a reason."""

    def __init__(self) -> None:
        self.away = ""

    def ready(self) -> None:
        if self.away:
            raise Unavailable(self.away)
