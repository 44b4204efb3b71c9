"""A front door of sockets and TLS before a platform in this process, for what must be tried over a wire."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from bootstrapper import certificates
from tests.scenarios.memory_world import MemoryWorld

STEP = 0.25
PASSED_ON = ("content-type", "traceparent", "idempotency-key")


@contextmanager
def wire_door(world: MemoryWorld, folder: Path) -> Iterator[str]:
    """Its address; `folder` gets the CA's certificate as ca.crt."""
    now = datetime.now(UTC)
    certificates.make_authority(folder, "wire", now)
    certificates.make_leaf(folder, "door", ("localhost", "127.0.0.1"), now)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "door.crt", folder / "door.key")
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Door", (_Handler,), {"world": world, "alone": threading.Lock()}))
    server.daemon_threads = True
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield f"https://localhost:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    world: MemoryWorld
    alone: threading.Lock

    def do_GET(self) -> None:
        path = self.path.removeprefix("/api/v1")
        if path.startswith(("/lines/events", "/figures/events")):
            self._answer(*self._next_event(path))
            return
        status, kind, body = self._ask("GET", path.removesuffix("/events").removesuffix("/log"), b"")
        if not path.endswith("/events") or status != 200:
            status, kind, body = (status, kind, body) if status != 200 else self._ask("GET", path, b"")
            self._answer(status, kind, body)
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        try:
            for name, data in self._news(path):
                self.wfile.write(f"event: {name}\ndata: {json.dumps(data)}\n\n".encode() if name else b": still here\n\n")
        except OSError:
            pass  # the client has heard enough

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self._answer(*self._ask(self.command, self.path.removeprefix("/api/v1"), body))

    do_DELETE = do_POST

    def _ask(self, method: str, path: str, body: bytes) -> tuple[int, str, bytes]:
        more = {name: value for name in PASSED_ON if (value := self.headers.get(name))}
        with self.alone:
            got = self.world.platform.peers.ask(method, path, body, self._token, more)
            self.world.platform.settle()
        return got.status, got.headers.get("content-type", ""), got.body

    def _next_event(self, path: str) -> tuple[int, str, bytes]:
        """One event; then the line is cut, and the client must go on where it was."""
        more = {name: value for name in ("last-event-id",) if (value := self.headers.get(name))}
        got = self.world.platform.peers._run("GET", path, b"", self._token, more, 1)
        return got.status, got.headers.get("content-type", ""), got.body

    def _news(self, path: str) -> Iterator[tuple[str, Any]]:
        """What the platform's own stream gives; time passes between two looks."""
        peers, last = self.world.platform.peers, None
        building = path.startswith("/builds/")
        while True:
            with self.alone:
                known = peers.get(path.removesuffix("/log/events").removesuffix("/events"), self._token)
                if known.status != 200:
                    return
                if building and known.json["state"] in ("BUILT", "FAILED"):
                    yield from (("end" if "state" in told else "line", told) for told in peers.events(path, 10_000, self._token))
                    return
                seen = None if building else peers.events(path, 1, self._token)[0]
                self.world.pass_time(STEP)
            yield ("deployment", seen) if seen != last else ("", None)
            last = seen

    def _answer(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    @property
    def _token(self) -> str:
        return str(self.headers.get("Authorization", "")).removeprefix("Bearer ")

    def log_message(self, format: str, *args: object) -> None:
        """The tests show what matters."""
