"""The SDK against a transport of the test's own, and its HTTP against a server on loopback."""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import berth
import pytest
from berth import transport
from berth.life import Heart
from berth.readings import seconds_of
from berth.transport import Event, HttpTransport, parsed

SENSOR = {"sensor": "s1", "key": "t", "kind": "temperature", "place": "hq/a", "device": "d1", "unit": "°C"}
READING = {**SENSOR, "time": "2026-11-28T12:00:00.000001Z", "value": 21.5}
TIME = datetime(2026, 11, 28, 12, 0, 0, 1, tzinfo=UTC)


class Played:
    """Answers from a table; streams are played one after the other, an exception breaks one off."""

    def __init__(self, answers: Mapping[str, Any], streams: list[list[Any]] | None = None) -> None:
        self.answers, self.streams = answers, streams or []
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.resumed: list[str] = []

    def get(self, path: str, query: Mapping[str, str]) -> Any:
        self.asked.append((path, dict(query)))
        return self.answers[path]

    def events(self, path: str, query: Mapping[str, str], last: str) -> Iterator[Event]:
        self.asked.append((path, dict(query)))
        self.resumed.append(last)
        for one in self.streams.pop(0):
            if isinstance(one, Exception):
                raise one
            yield one


@pytest.fixture(autouse=True)
def real_transport_afterwards() -> Iterator[None]:
    yield
    transport.set(None)


def event(id: str, value: float) -> Event:
    return Event(id, "reading", json.dumps({**READING, "value": value}))


def test_latest() -> None:
    transport.set(Played({"/streams/latest": {"items": [READING]}}))
    assert berth.sensors("t").latest() == [berth.Reading("s1", "t", "temperature", "hq/a", "d1", "°C", TIME, 21.5)]


def test_history_as_readings_and_as_buckets() -> None:
    points = [{"time": READING["time"], "value": 1}]
    played = Played({"/streams/history": {"items": [{**SENSOR, "points": points}]}})
    transport.set(played)
    [line] = berth.sensors("t").history(since=TIME)
    assert line.points == ((TIME, 1),) and played.asked[0][1] == {"need": "t", "since": "2026-11-28T12:00:00.000001Z"}
    points[:] = [{"time": READING["time"], "mean": 2.0, "minimum": 1.0, "maximum": 3.0, "count": 2}]
    [line] = berth.sensors("t").history(since="1h", bucket="5m")
    assert line.points == (berth.Bucket(TIME, 2.0, 1.0, 3.0, 2),) and played.asked[1][1]["bucket"] == "300s"


def test_needs_and_bound() -> None:
    transport.set(Played({"/streams/needs": {"t": [SENSOR]}}))
    assert [s.place for s in berth.needs()["t"]] == ["hq/a"]
    assert berth.sensors("t").bound()[0].sensor == "s1" and berth.sensors("x").bound() == []


def test_a_stream_goes_on_after_the_last_event_it_had() -> None:
    played = Played({}, [[event("1.0", 1), event("1.1", 2)], [berth.Unavailable("away")], [event("2.0", 3)], [berth.Refused("over")]])
    transport.set(played)
    got = []
    with pytest.raises(berth.Refused):
        for reading in berth.sensors("t").stream():
            got.append(reading.value)
    assert got == [1, 2, 3] and played.resumed == ["", "1.1", "1.1", "2.0"]
    assert played.asked[0][1] == {"need": "t", "share": "app"}


def test_broadcast_shares_nothing_and_close_ends() -> None:
    played = Played({}, [[event("1.0", 1), event("1.1", 2)]])
    transport.set(played)
    stream = berth.sensors("t")
    for _ in stream.stream(broadcast=True):
        stream.close()
    assert played.asked == [("/streams/events", {"need": "t"})]


@pytest.mark.parametrize(("span", "seconds"), [("30s", 30), ("15m", 900), ("1.5h", 5400), ("7d", 604800), (5, 5), (timedelta(0, 60), 60)])
def test_spans(span: Any, seconds: float) -> None:
    assert seconds_of(span) == seconds


@pytest.mark.parametrize("span", ["", "x", "5", "5 w", "m"])
def test_no_spans(span: str) -> None:
    with pytest.raises(ValueError, match="is not a span of time"):
        seconds_of(span)


def test_server_sent_events() -> None:
    lines = [b": hello\n", b"retry: 500\n", b"\n", b"id: 7.0\n",
             b"event: reading\n", b"data: {\n", b"data: }\r\n", b"\n", b"data:x\n", b"\n", b"data: cut"]
    assert list(parsed(iter(lines))) == [Event("7.0", "reading", "{\n}"), Event("7.0", "message", "x")]


def test_not_on_berth(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("BERTH_URL", raising=False)
    with pytest.raises(berth.NotOnBerth, match="BERTH_URL is not set"):
        berth.sensors("t").latest()
    monkeypatch.setenv("BERTH_URL", "https://platform:8443")
    monkeypatch.setenv("BERTH_TOKEN_FILE", str(tmp_path / "none"))
    with pytest.raises(berth.NotOnBerth, match="token cannot be read"):
        berth.sensors("t").latest()
    with pytest.raises(berth.NotOnBerth, match="must be like"):
        HttpTransport("platform", "x")


class Platform(BaseHTTPRequestHandler):
    """What a platform may answer; closes each kept connection after two questions, as a restart does."""

    protocol_version = "HTTP/1.1"
    seen: list[tuple[str, str, str]] = []
    count = 0

    def do_GET(self) -> None:
        cls = type(self)
        cls.count += 1
        cls.seen.append((self.path, self.headers["Authorization"], self.headers.get("Last-Event-ID", "")))
        path = self.path.partition("?")[0].removeprefix("/api/v1/")
        status, body, kind = {
            "good": (200, b'{"items": []}', "application/json"), "events": (200, b"id: 3.0\ndata: {}\n\n", "text/event-stream"),
            "refused": (401, b'{"detail": "The token was revoked."}', "application/problem+json"), "busy": (503, b"no", "text/plain"),
            "none": (404, b'{"detail": "No need x."}', "application/problem+json"), "odd": (422, b"[]", "application/json"),
        }[path]  # fmt: skip
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = cls.count % 2 == 0

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[HttpTransport]:
    Platform.seen, Platform.count = [], 0
    served = ThreadingHTTPServer(("127.0.0.1", 0), Platform)
    threading.Thread(target=served.serve_forever, daemon=True).start()
    yield HttpTransport(f"http://127.0.0.1:{served.server_address[1]}/", "tok")
    served.shutdown()
    served.server_close()


def test_http_asks_again_on_a_connection_that_was_closed(server: HttpTransport) -> None:
    for _ in range(7):
        assert server.get("/good", {"need": "t"}) == {"items": []}
    assert {seen[:2] for seen in Platform.seen} == {("/api/v1/good?need=t", "Bearer tok")}


@pytest.mark.parametrize(("path", "kind", "words"), [
    ("/refused", berth.Refused, "The token was revoked."), ("/none", berth.NotBound, "No need x."),
    ("/busy", berth.Unavailable, "answered 503"), ("/odd", berth.BerthError, "answered 422"),
])  # fmt: skip
def test_http_errors_keep_the_platforms_words(server: HttpTransport, path: str, kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=words):
        server.get(path, {})
    with pytest.raises(kind, match=words):
        list(server.events(path, {}, ""))


def test_http_streams(server: HttpTransport) -> None:
    assert list(server.events("/events", {}, "2.5")) == [Event("3.0", "message", "{}")]
    assert Platform.seen[0][2] == "2.5"


def test_http_away_is_unavailable() -> None:
    away = HttpTransport("http://127.0.0.1:9", "tok")
    with pytest.raises(berth.Unavailable, match="127.0.0.1:9"):
        away.get("/good", {})
    with pytest.raises(berth.Unavailable):
        list(away.events("/events", {}, ""))


def test_a_heart_answers_while_it_beats() -> None:
    heart = Heart(0, within=60)
    url = f"http://127.0.0.1:{heart.port}/healthz"
    assert urllib.request.urlopen(url).status == 200
    heart.within = 0
    with pytest.raises(urllib.error.HTTPError) as late:
        urllib.request.urlopen(url)
    assert late.value.code == 503
    heart.close()
