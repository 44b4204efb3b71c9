"""What answers of a backing service mean, and what the watch makes of one that is slow, silent, or asked by a monitor that stood still."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from backbone.backing import HttpService, MemoryService, over_http
from backbone.clock import ManualClock, SystemClock
from backbone.settings import Settings
from contracts.errors import Unavailable
from monitor.model_backing import Episode, Service, answered, change, failed, newest, silence_is_explained, told
from monitor.watching import DOUBT, EVERY, RESTING, Watch

START = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
UP = Service("kafka", START, START)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def after(*said: float | str) -> Service:
    """Seconds of an answer, or why there was none; one each two seconds."""
    service = UP
    for turn, one in enumerate(said):
        service = failed(service, at(2 * turn), one) if isinstance(one, str) else answered(service, at(2 * turn), one)
    return service


@pytest.mark.parametrize(
    ("said", "state"),
    [
        ((0.1,), "up"), (("x",), "up"), (("x", 0.1, "x"), "up"), (("x", "x"), "away"), (("x", "x", 0.1), "up"),
        (("x", "x", 1.5), "degraded"), ((1.1, 1.1), "up"), ((1.1, 1.1, 1.1), "degraded"), ((1.1, 0.9, 1.1, 1.1), "up"),
        ((2, 2, 2, 0.1, 0.1), "degraded"), ((2, 2, 2, 0.1, 0.1, 0.1), "up"), ((2, 2, 2, "x", "x"), "away"), ((1.0, 1.0, 1.0), "up"),
    ],
)  # fmt: skip
def test_what_answers_mean(said: tuple[float | str, ...], state: str) -> None:
    assert after(*said).state == state


def test_each_change_is_told_in_one_outage() -> None:
    episodes: list[Episode] = []
    service = UP
    said: tuple[float | str, ...] = ("x", "y", 1.5, 0.1, 0.1, 0.1, "z", "z")
    for turn, one in enumerate(said):
        before = service
        service = failed(service, at(turn), one) if isinstance(one, str) else answered(service, at(turn), one)
        if news := change(before, service):
            episodes = told(episodes, before, news)
    first, second = episodes
    assert [c.state for c in first.changes] == ["away", "degraded", "up"] and first.over == at(5)
    assert first.changes[0].text == "kafka is away: y" and first.last == START
    assert [c.state for c in second.changes] == ["away"] and second.over is None and second.last == at(5)


@pytest.mark.parametrize(
    ("began", "over", "same"), [(2, 40, True), (-20, None, True), (-60, -20, False), (60, 90, False), (60, None, False), (44, 60, True)]
)
def test_two_monitors_see_one_outage(began: float, over: float | None, same: bool) -> None:
    episodes = told([], UP, change(UP, after("x", "x")))  # type: ignore[arg-type]
    away = after("x", "x")
    (episode,) = told(episodes, away, change(away, answered(away, at(30), 0.1)))  # type: ignore[arg-type]
    assert episode.same(at(began), None if over is None else at(over)) == same


def test_silence_says_nothing_while_kafka_is_away_and_shortly_after() -> None:
    def why(service: Service, now: float) -> str:
        return silence_is_explained([service], at(now))

    assert silence_is_explained([], at(0)) == why(UP, 0) == why(after(2, 2, 2), 9) == ""
    away = after("x", "x")
    assert why(after("x"), 1) == why(away, 99) == "kafka"
    back = answered(away, at(100), 0.1)
    assert (why(back, 109.9), why(back, 110)) == ("kafka", "")
    assert why(replace(away, name="postgres"), 99) == "postgres" and why(replace(away, name="slapd"), 99) == ""


def test_what_is_wrong_stands_first() -> None:
    services = [Service("b", START, START), Service("a", START, START), Service("z", START, START, "away")]
    assert [s.name for s in newest(services)] == ["z", "a", "b"]


class Slow:
    """A service whose answer comes when it is let go."""

    def __init__(self) -> None:
        self.answer = threading.Event()
        self.asked = threading.Event()

    def ready(self) -> None:
        self.asked.set()
        assert self.answer.wait(10)


@pytest.fixture
def asking() -> Iterator[Callable[[Watch, str], threading.Thread]]:
    threads: list[threading.Thread] = []

    def start(watch: Watch, name: str) -> threading.Thread:
        threads.append(threading.Thread(target=watch.ask, args=(name,)))
        threads[-1].start()
        return threads[-1]

    yield start
    for thread in threads:
        thread.join(10)


def test_a_question_without_an_answer_is_counted_while_it_waits(asking: Callable[[Watch, str], threading.Thread]) -> None:
    clock, slow = ManualClock(), Slow()
    watch = Watch(clock, {"slapd": slow.ready})
    thread = asking(watch, "slapd")
    assert slow.asked.wait(5)
    for _ in range(7):
        clock.advance(0.5)
        watch.look()
    assert (found := watch.service("slapd")) and (found.state, found.failed) == ("up", 1)
    clock.advance(0.5)
    watch.look()
    assert (found := watch.service("slapd")) and (found.state, found.reason) == ("away", "no answer for 4 s")
    slow.answer.set()
    thread.join(5)
    assert (found := watch.service("slapd")) and (found.state, found.took) == ("away", 4.0), "it waited through an outage"
    watch.ask("slapd")
    assert [c.state for c in watch.episodes()[0].changes] == ["away", "up"]


def test_a_monitor_that_stood_still_blames_itself(asking: Callable[[Watch, str], threading.Thread]) -> None:
    clock, slow = ManualClock(), Slow()
    watch = Watch(clock, {"slapd": slow.ready})
    thread = asking(watch, "slapd")
    assert slow.asked.wait(5)
    clock.advance(30)
    watch.look()
    slow.answer.set()
    thread.join(5)
    assert (found := watch.service("slapd")) and (found.state, found.took, watch.episodes()) == ("up", 0.0, [])


def test_a_question_with_a_bug_is_no_end_of_the_watch() -> None:
    def broken() -> None:
        raise KeyError("x")

    service = MemoryService()
    watch = Watch(ManualClock(), {"registry": broken, "haproxy": service.ready})
    for _ in range(2):
        watch.ask("registry")
        watch.ask("haproxy")
    assert {s.name: s.state for s in watch.services()} == {"registry": "away", "haproxy": "up"}
    assert "KeyError" in watch.services()[0].reason


class Page(http.server.BaseHTTPRequestHandler):
    """401 as a registry says it, 200 for /alive; the connection stays open."""

    protocol_version = "HTTP/1.1"
    status = 401

    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/alive" else type(self).status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None: ...


def test_services_over_http() -> None:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    registry = HttpService("the registry", f"{url}/v2/")
    door = over_http(Settings({"BERTH_INTERNAL_URL": url}))["haproxy"]
    try:
        registry.ready()
        registry.ready()
        door()
        Page.status = 503
        with pytest.raises(Unavailable, match="answered 503"):
            registry.ready()
    finally:
        Page.status = 401
        server.shutdown()
        server.server_close()
    fresh = HttpService("the registry", f"{url}/v2/")
    with pytest.raises(Unavailable, match=r"the registry at 127\.0\.0\.1:\d+ does not answer"):
        fresh.ready()


def test_who_follows_asks_less_often_what_is_well() -> None:
    said: list[str] = []

    def asked() -> None:
        if said:
            raise Unavailable(said[0])

    watch = Watch(ManualClock(), {"slapd": asked})
    assert (watch.pause("slapd", leads=True), watch.pause("slapd", leads=False)) == (EVERY, RESTING)
    said.append("away")
    watch.ask("slapd")
    assert watch.pause("slapd", leads=False) == watch.pause("slapd", leads=True) == DOUBT


def test_who_comes_to_lead_asks_at_once() -> None:
    count, leads = threading.Semaphore(0), threading.Event()
    watch = Watch(SystemClock(), {"slapd": count.release})
    thread = threading.Thread(target=watch.ask_again_and_again, args=("slapd", leads.is_set), daemon=True)
    thread.start()
    assert count.acquire(timeout=5)
    leads.set()
    assert count.acquire(timeout=EVERY + 1), "soon, though it would have rested for longer"
    watch.close()
    thread.join(EVERY + 1)
    assert not thread.is_alive()
