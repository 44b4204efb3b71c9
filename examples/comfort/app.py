"""How comfortable are the rooms? One page of live values from the sensors that Berth has bound to this app."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from berth import BerthError, Reading, needs, sensors

HERE = Path(__file__).resolve().parent
TYPES = {".html": "text/html; charset=utf-8", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
FILES = {f"/static/{file.name}": file for file in (HERE / "static").iterdir()} | {"/": HERE / "static" / "page.html"}
POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'"

ASK_AGAIN = 30.0  # seconds between full looks while the streams run
LAST_HOUR, A_MINUTE = 3600, 60
Answer = tuple[int, dict[str, str], bytes]


class Board:
    """The newest value of every sensor: asked for once, then kept up to date by the streams."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._newest: dict[str, Reading] = {}
        self._asked = float("-inf")
        self._history: tuple[float, list[dict[str, Any]]] = (float("-inf"), [])
        self._streaming = False

    def listen(self) -> None:
        """One thread for each need keeps the newest values; without it every look asks the platform."""
        self._streaming = True
        threading.Thread(target=self._follow_all, daemon=True).start()

    def newest(self) -> list[dict[str, Any]]:
        now = time.monotonic()
        if not self._streaming or now - self._asked > ASK_AGAIN or not self._newest:
            for need in needs():
                for reading in sensors(need).latest():
                    self._see(reading)
            self._asked = now
        with self._lock:
            shown = sorted(self._newest.values(), key=lambda r: (r.place, r.kind, r.key))
        return [
            {"sensor": r.sensor, "key": r.key, "kind": r.kind, "place": r.place, "unit": r.unit, "value": r.value,
             "time": r.time.strftime("%Y-%m-%dT%H:%M:%S.%fZ")}
            for r in shown
        ]

    def history(self) -> list[dict[str, Any]]:
        """Minute means of the last hour: one look every ten seconds, however many pages are open."""
        asked, kept = self._history
        if time.monotonic() - asked < 10:
            return kept
        lines = [
            {"sensor": line.sensor, "points": [[bucket.time.timestamp(), round(bucket.mean, 2)] for bucket in line.points]}
            for need in needs() for line in sensors(need).history(since=LAST_HOUR, bucket=A_MINUTE)
        ]
        self._history = (time.monotonic(), lines)
        return lines

    def _see(self, reading: Reading) -> None:
        with self._lock:
            before = self._newest.get(reading.sensor)
            if before is None or reading.time >= before.time:
                self._newest[reading.sensor] = reading

    def _follow_all(self) -> None:
        while True:
            try:
                names = list(needs())
                break
            except BerthError as error:
                print(f"waits for the platform: {error}", flush=True)
                time.sleep(1)
        for need in names:
            threading.Thread(target=self._follow, args=(need,), daemon=True).start()

    def _follow(self, need: str) -> None:
        try:
            for reading in sensors(need).stream(broadcast=True):
                self._see(reading)
        except BerthError as error:
            print(f"the stream of {need} ended: {error}", flush=True)
        self._streaming = False


board = Board()


def respond(method: str, path: str) -> Answer:
    """What the app answers; the server below only carries it."""
    path = urlsplit(path).path
    if method not in ("GET", "HEAD"):
        return _text(405, "Only GET here.\n", {"Allow": "GET, HEAD"})
    if path == "/healthz":
        return _text(200, "ok\n")
    try:
        if path == "/readings.json":
            return _json(200, board.newest())
        if path == "/history.json":
            return _json(200, board.history())
    except BerthError as error:
        return _json(503, {"error": str(error)})
    if path in FILES:
        file = FILES[path]
        headers = {"Content-Type": TYPES[file.suffix], "Cache-Control": "no-cache", "Content-Security-Policy": POLICY}
        return 200, headers, file.read_bytes()
    return _text(404, f"Nothing at {path}.\n")


def _json(status: int, what: Any) -> Answer:
    return status, {"Content-Type": "application/json", "Cache-Control": "no-store"}, json.dumps(what).encode()


def _text(status: int, text: str, headers: dict[str, str] | None = None) -> Answer:
    return status, {"Content-Type": "text/plain; charset=utf-8", **(headers or {})}, text.encode()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        status, headers, body = respond(self.command, self.path)
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_HEAD = do_POST = do_PUT = do_DELETE = do_GET

    def log_message(self, format: str, *args: object) -> None:
        """Probes and polls each second are no news."""


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Who went away in the middle of an answer is no error of this app."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


def main() -> None:
    board.listen()
    port = int(os.environ.get("PORT", "8000"))
    server = Server(("", port), Handler)
    print(f"comfort listens on port {port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    sys.exit(main())
