"""Over a wire: tokens that two processes renew at once, uploads from the disk, and what goes wrong, in words."""

from __future__ import annotations

import io
import json
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from cli.client import PART, Wire
from cli.context import Context, Contexts
from cli.failure import Failure
from cli.session import Platform


class Little(ThreadingHTTPServer):
    """As much of a platform as a session needs: a refresh token counts once, and a second use ends the session."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.number, self.ended, self.refreshed = 1, False, 0
        self.away, self.keys, self.traces, self.received = 0, [], set(), []  # type: ignore[var-annotated]
        self.streams = [b'id: 1\nevent: line\ndata: "one"\n\n', b'id: 2\nevent: line\ndata: "two"\n\n']
        self.resumed: list[str] = []
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Little

    def do_GET(self) -> None:
        self.server.traces.add(self.headers["traceparent"])
        if self.path.endswith("/strange"):
            return self.say(200, None, "<html>")
        if self.server.ended or self.headers["Authorization"] != f"Bearer access-{self.server.number}":
            return self.problem(401, "The token has run out.")
        if self.server.away:
            self.server.away -= 1
            return self.problem(503, "No replica is ready.")
        if self.path.endswith("/events"):
            self.server.resumed.append(self.headers["Last-Event-ID"] or "")
            self.send_response(200)
            self.end_headers()
            self.wfile.write(self.server.streams.pop(0))
            return None
        return self.say(200, {"username": "dora"})

    def do_POST(self) -> None:
        size = int(self.headers["Content-Length"])
        body = self.rfile.read(size)
        if self.path.endswith("/session/refresh"):
            return self.refresh(json.loads(body)["refresh_token"])
        self.server.keys.append(self.headers["Idempotency-Key"])
        self.server.received.append(len(body))
        if self.server.away:
            self.server.away -= 1
            return self.problem(503, "No replica is ready.")
        return self.say(201, {})

    def refresh(self, token: str) -> None:
        with self.server.lock:
            if token != f"refresh-{self.server.number}":
                self.server.ended = True
                return self.problem(401, "Used twice.")
            self.server.number += 1
            self.server.refreshed += 1
        n = self.server.number
        return self.say(201, {"access_token": f"access-{n}", "refresh_token": f"refresh-{n}", "user": {"username": "dora"}})

    def problem(self, status: int, detail: str) -> None:
        self.say(status, {"status": status, "title": "", "detail": detail, "correlation": "abc", "errors": []})

    def say(self, status: int, value: Any, text: str = "") -> None:
        body = text.encode() or json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@pytest.fixture
def little() -> Iterator[Little]:
    server = Little()
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def logged_in(little: Little, folder: Path, token: str = "access-1") -> Platform:
    """As a process of its own would be."""
    context = Context(little.url, username="dora", access_token=token, refresh_token="refresh-1")
    contexts = Contexts(folder)
    with contexts.locked():
        if contexts.get(context.key) is None:
            contexts.keep(context, current=True)
    return Platform(context, contexts)


def test_a_token_that_ran_out_is_renewed_and_kept(little: Little, tmp_path: Path) -> None:
    logged_in(little, tmp_path, "old")
    platform = Platform(Contexts(tmp_path).current() or Context(""), Contexts(tmp_path))
    assert platform.get("/me") == {"username": "dora"}
    kept = Contexts(tmp_path).current()
    assert kept and (kept.access_token, kept.refresh_token) == ("access-2", "refresh-2")


def test_eight_that_renew_at_once_use_the_refresh_token_once(little: Little, tmp_path: Path) -> None:
    platforms = [logged_in(little, tmp_path, "old") for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda p: p.get("/me")["username"], platforms)) == ["dora"] * 8
    assert (little.refreshed, little.ended) == (1, False)


def test_a_session_that_ended_says_how_to_begin_another(little: Little, tmp_path: Path) -> None:
    platform = logged_in(little, tmp_path, "old")
    little.number = 5
    with pytest.raises(Failure, match="has ended") as caught:
        platform.get("/me")
    assert caught.value.hint == f"berth login {little.url}"
    assert caught.value.status == 401


def test_while_replicas_change_it_is_asked_again_with_the_same_key(little: Little, tmp_path: Path) -> None:
    platform = logged_in(little, tmp_path)
    little.away = 1
    assert platform.get("/me") == {"username": "dora"}
    little.away = 1
    platform.post("/things", {})
    assert len(little.keys) == 2 and len(set(little.keys)) == 1 and little.keys[0]
    assert {trace.split("-")[1] for trace in little.traces} == {platform.trace}


def test_an_upload_goes_from_the_disk_in_parts(little: Little, tmp_path: Path) -> None:
    class File(io.BytesIO):
        most = 0

        def read(self, size: int | None = -1) -> bytes:
            self.most = max(self.most, size or 0)
            assert size and size > 0
            return super().read(size)

    told: list[int] = []
    file = File(b"x" * (3 * PART + 1))
    status, _ = logged_in(little, tmp_path).upload("/releases", file, 3 * PART + 1, {}, told.append)
    assert (status, little.received, sum(told), file.most) == (201, [3 * PART + 1], 3 * PART + 1, PART)


def test_a_stream_goes_on_where_it_stopped(little: Little, tmp_path: Path) -> None:
    news = logged_in(little, tmp_path).events("/x/events")
    assert [next(news).data, next(news).data] == ["one", "two"]
    assert little.resumed == ["", "1"]


def test_what_does_not_answer_is_said_with_what_and_where(tmp_path: Path, little: Little) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"https://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(Failure, match=f"{url} does not answer: .*refused") as caught:
        Wire(url).ask("GET", "/me")
    assert "berth status" in caught.value.hint
    with pytest.raises(Failure, match="not by Berth"):
        logged_in(little, tmp_path).get("/strange")
    with pytest.raises(Failure, match="broke at GET /me"):
        Wire(little.url.replace("http://", "https://")).ask("GET", "/me")
    with pytest.raises(Failure, match="holds no certificate"):
        Wire("https://localhost:1", "nonsense")
