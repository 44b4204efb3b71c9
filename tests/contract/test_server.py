"""One subsystem's process on real sockets: what is open or hangs holds up neither other requests nor the exit."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import pytest

from backbone.context import Action, acting
from backbone.peers import HttpPeers
from contracts.errors import NotFound, Refused, Unavailable
from tests.support.process import Process, eventually, running

STREAMS = 200


@pytest.fixture
def probe() -> Iterator[tuple[Process, str]]:
    with running(["-m", "tests.support.probe_server"], {}) as process:
        assert process.popen.stdout is not None
        told = json.loads(process.popen.stdout.readline())
        process.device = told["device"]
        yield process, told["token"]


def opened(process: Process, head: str, token: str) -> socket.socket:
    line = socket.create_connection(("127.0.0.1", process.port), timeout=10)
    line.sendall(f"{head}\r\nHost: probe\r\nAuthorization: Bearer {token}\r\n".encode())
    return line


def test_open_streams_end_and_the_process_is_gone_at_once(probe: tuple[Process, str]) -> None:
    process, token = probe
    streams = [opened(process, "GET /api/v1/deployments/d/events HTTP/1.1", token) for _ in range(STREAMS)]
    for line in streams:
        line.sendall(b"\r\n")
    for line in streams:
        read = b""
        while b'data: {"n":1}' not in read:
            read += line.recv(4096)
    assert process.ask("GET", "/api/v1/kinds", token=token)[0] == 200
    code, seconds = process.stop()
    assert code == 0 and seconds < 2
    assert process.lines()[-1] == {"event": "after"}


def test_half_sent_bodies_hold_no_thread(probe: tuple[Process, str]) -> None:
    process, token = probe
    half = [opened(process, "POST /api/v1/kinds HTTP/1.1", token) for _ in range(30)]
    for line in half:
        line.sendall(b"Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{")
    assert process.ask("GET", "/api/v1/kinds", token=token)[0] == 200


def test_a_request_that_hangs_does_not_hold_the_exit(probe: tuple[Process, str]) -> None:
    process, token = probe
    line = opened(process, "POST /api/v1/kinds HTTP/1.1", token)
    line.sendall(b"Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")
    assert process.ask("GET", "/live")[0] == 200
    code, seconds = process.stop()
    assert code == 0 and seconds < 4


def test_an_upload_broken_off_harms_nobody(probe: tuple[Process, str]) -> None:
    process, token = probe
    line = opened(process, "POST /api/v1/releases HTTP/1.1", token)
    line.sendall(b"Content-Length: 1000000\r\n\r\n" + b"z" * 5000)
    line.close()
    eventually(lambda: process.ask("GET", "/live")[0] == 200, 2)


def test_chunked_bodies_work(probe: tuple[Process, str]) -> None:
    process, token = probe
    line = opened(process, "POST /api/v1/releases HTTP/1.1", token)
    line.sendall(b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
    read = b""
    while part := line.recv(4096):
        read += part
    assert read.endswith(b"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")


def test_peers_over_http(probe: tuple[Process, str]) -> None:
    process, token = probe
    peers = HttpPeers(f"http://127.0.0.1:{process.port}", token)
    with acting(Action(correlation="4bf92f3577b34da6a3ce929d0e0e4736")):
        answer = peers.get("/kinds").check()
    assert answer.json == {"items": []} and answer.headers["x-correlation"] == "4bf92f3577b34da6a3ce929d0e0e4736"
    assert peers.get("/kinds", token="").status == 401
    with pytest.raises(Refused):
        peers.get("/kinds", token="a.b.c").check()
    with pytest.raises(NotFound):
        peers.get("/nothing").check()
    process.stop()
    with pytest.raises(Unavailable):
        peers.get("/kinds")


class _Forgetful(BaseHTTPRequestHandler):
    """Closes a kept connection at its second request without an answer, as HAProxy does when a replica dies with it."""

    protocol_version = "HTTP/1.1"
    asked: ClassVar[list[str]] = []

    def setup(self) -> None:
        super().setup()
        self.first = True

    def do_GET(self) -> None:
        self.asked.append(self.command)
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if not self.first:
            self.close_connection = True
            return
        self.first = False
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    do_POST = do_GET

    def log_message(self, format: str, *args: object) -> None: ...


def test_what_is_safe_is_asked_again_where_a_kept_connection_closed_without_a_word() -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Forgetful)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        peers = HttpPeers(f"http://127.0.0.1:{server.server_port}", "")
        assert [peers.get("/kinds").status for _ in range(2)] == [200, 200]
        with pytest.raises(Unavailable):
            peers.post("/kinds", {})
        assert _Forgetful.asked == ["GET", "GET", "GET", "POST"]
    finally:
        server.shutdown()
        server.server_close()


UPGRADE = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"


def test_a_websocket_is_refused_before_it_opens_and_told_when_all_ends(probe: tuple[Process, str]) -> None:
    process, token = probe
    for bad, status in (("a.b.c", b"401"), (token, b"403")):
        line = opened(process, "GET /api/v1/readings/socket HTTP/1.1", bad)
        line.sendall(UPGRADE.encode())
        assert line.recv(4096).startswith(b"HTTP/1.1 " + status)
    line = opened(process, "GET /api/v1/readings/socket HTTP/1.1", process.device)
    line.sendall(UPGRADE.encode())
    read = b""
    while not read.endswith(b"d1"):
        read += line.recv(4096)
    assert read.startswith(b"HTTP/1.1 101")
    process.popen.terminate()
    assert (1012).to_bytes(2, "big") + b"restarting" in line.recv(4096)
    assert process.popen.wait(5) == 0
