"""A first app on Berth: one page with the newest temperature of every place it is bound to."""

from __future__ import annotations

import html
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from berth import BerthError, sensors

PAGE = "<!doctype html><meta charset=utf-8><meta http-equiv=refresh content=2><title>{title}</title><h1>{title}</h1><ul>{rows}</ul>"
HTML = {"Content-Type": "text/html; charset=utf-8"}


def respond(method: str, path: str) -> tuple[int, dict[str, str], bytes]:
    if path == "/healthz":
        return 200, {"Content-Type": "text/plain"}, b"ok\n"
    try:
        newest = sensors("temperature").latest()
    except BerthError as error:
        return 503, HTML, PAGE.format(title="Not yet", rows=html.escape(str(error))).encode()
    rows = "".join(f"<li>{html.escape(r.place)}: {r.value} {r.unit}" for r in newest) or "<li>No readings yet."
    return 200, HTML, PAGE.format(title="Temperatures", rows=rows).encode()


class Handler(BaseHTTPRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """`berth logs -f` shows what is printed here: every request but the platform's own probe, each second."""
        if self.path != "/healthz":
            super().log_request(code, size)

    def do_GET(self) -> None:
        status, headers, body = respond("GET", self.path)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    ThreadingHTTPServer(("", int(os.environ.get("PORT", "8000"))), Handler).serve_forever()
