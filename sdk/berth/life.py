"""The heartbeat of a service that serves nothing itself, such as a worker: Berth probes it over HTTP like any other.

    services:
      worker: {runtime: python, command: python worker.py, port: 8000, health: {path: /healthz}}

    while True:
        heartbeat()
        work_a_little()
"""

from __future__ import annotations

import os
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Heart:
    """Answers GET on its port: 200 while the last beat is younger than `within` seconds, 503 after."""

    def __init__(self, port: int, within: float) -> None:
        self.within = within
        self.last = time.monotonic()
        heart = self

        class Answer(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                age = time.monotonic() - heart.last
                body = f"last beat {age:.1f} s ago\n".encode()
                self.send_response(200 if age <= heart.within else 503)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """A probe each second is no news."""

        self.server = ThreadingHTTPServer(("", port), Answer)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, name="berth-heart", daemon=True).start()

    def beat(self) -> None:
        self.last = time.monotonic()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


_heart: Heart | None = None
_lock = threading.Lock()


def heartbeat(within: float = 10.0, port: int | None = None) -> None:
    """Says that the app goes on. The first call starts to answer on `port` (PORT, or 8000); each is one beat.

    Without a beat for `within` seconds the answer is 503 and Berth replaces the instance.
    """
    global _heart
    with _lock:
        if _heart is None:
            _heart = Heart(int(os.environ.get("PORT", "8000")) if port is None else port, within)
    _heart.beat()
