"""Lines from the topic to whoever may see them: the logger on twins, beside all other parts."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from contracts.lines import Line
from logger.api import CATCH_UP
from tests.scenarios.memory_world import MemoryWorld
from tests.support.lines import line, send, texts

TRACE = "ab" * 16


class Logs:
    """`said` puts lines on the bus and lets them be kept; `unkept` leaves them there."""

    def __init__(self) -> None:
        self.world = MemoryWorld()
        self.ada, self.otto, self.dora = (self.world.login(role) for role in ("admin", "operator", "developer"))
        self.uma = self.world.login("user")
        self._next: dict[str, int] = {}

    def line(self, text: str, source: str = "c1", **facts: Any) -> Line:
        self._next[source] = position = self._next.get(source, -1) + 1
        ago = facts.pop("ago", 0.0)
        begin = self.world.platform.clock.now() + timedelta(milliseconds=position)
        return line(position, -ago, source, begin, text=text, **facts)

    def unkept(self, *lines: Line | bytes) -> None:
        send(self.world.platform.records, lines)

    def said(self, *lines: Line | bytes) -> None:
        self.unkept(*lines)
        self.world.pass_time(1.25)

    def ask(self, token: str, path: str = "/lines", **query: Any) -> Any:
        return self.world.ask("GET", f"{path}?{urlencode(query)}", token).ok(200)

    def texts(self, token: str, **query: Any) -> list[str]:
        return texts(self.ask(token, **query)["items"])

    def tail(self, token: str, most: int, last_id: str = "", **query: Any) -> list[tuple[str, str, Any]]:
        """(id, event, data) of the first `most` events; then the line is cut."""
        more = {"last-event-id": last_id} if last_id else {}
        got = self.world.platform.peers._run("GET", f"/lines/events?{urlencode(query)}", b"", token, more, most)
        assert got.status == 200, got.body
        found = []
        for block in got.body.decode().split("\n\n"):
            fields = dict(part.split(": ", 1) for part in block.splitlines() if ": " in part and not part.startswith(":"))
            if "data" in fields:
                found.append((fields.get("id", ""), fields["event"], json.loads(fields["data"])))
        return found[:most]


@pytest.fixture
def logs() -> Iterator[Logs]:
    yield Logs()


def every_part(logs: Logs) -> list[Line]:
    """One action through all parts, one line each."""
    return [
        logs.line("started", "k1", kind="subsystem", service="app_controller", workspace="dora", correlation=TRACE, ago=5),
        logs.line("pip install", "build:r1", kind="build", release="r1", deployment="", correlation=TRACE, ago=4),
        logs.line("rolled out", "k2", kind="subsystem", service="deployer", workspace="", correlation=TRACE, ago=3),
        logs.line("probe failed", "k3", kind="subsystem", service="node_manager.agent", workspace="", level="warning", ago=2),
        logs.line("hello world", "c1", service="web", instance="i1", generation=1, ago=1, facts={"user": "x"}),
        logs.line("boom", "c2", level="error", workspace="eve", app="other", deployment="d2", ago=0.5),
        logs.line("checkpoint", "b1", kind="backing", service="postgres", workspace=""),
    ]


def test_staff_see_all_and_others_their_apps_and_builds(logs: Logs) -> None:
    logs.said(*every_part(logs))
    everything = ["checkpoint", "boom", "hello world", "probe failed", "rolled out", "pip install", "started"]
    assert logs.texts(logs.ada) == everything
    assert logs.texts(logs.otto) == everything
    assert logs.texts(logs.dora) == ["hello world", "pip install"]
    assert logs.texts(logs.dora, kind="build") == ["pip install"]
    assert logs.texts(logs.dora, correlation=TRACE) == ["pip install"]
    assert logs.texts(logs.ada, correlation=TRACE) == ["rolled out", "pip install", "started"]
    assert logs.texts(logs.dora, deployment="d2") == []
    assert sum(b["error"] for b in logs.ask(logs.dora, "/lines/counts")["items"]) == 0
    assert sum(b["error"] for b in logs.ask(logs.otto, "/lines/counts")["items"]) == 1
    for path in ("/lines", "/lines/counts", "/lines/events"):
        for query in ("?workspace=eve", "?kind=subsystem", "?kind=backing", "?workspace=dora&kind=subsystem"):
            assert logs.world.ask("GET", path + query, logs.dora).status == 403, path + query
        assert logs.world.ask("GET", path, logs.uma).status == 403
        assert logs.world.ask("GET", path, "").status == 401


def test_a_line_looks_the_same_wherever_it_is_shown(logs: Logs) -> None:
    logs.said(logs.line("hello", service="web", instance="i1", node="n1", generation=2, release="r1", correlation=TRACE, facts={"a": [1]}))
    [found] = logs.ask(logs.dora)["items"]
    assert {**found, "id": "", "time": ""} == {
        "id": "", "time": "", "kind": "app", "level": "info", "text": "hello", "workspace": "dora", "app": "hello", "deployment": "d1",
        "generation": 2, "release": "r1", "service": "web", "instance": "i1", "node": "n1", "correlation": TRACE, "facts": {"a": [1]},
    }  # fmt: skip
    assert logs.tail(logs.dora, 1)[0][2] == found


def test_pages_and_their_end(logs: Logs) -> None:
    logs.said(*(logs.line(f"line {n}", f"s{n % 3}") for n in range(25)))
    first = logs.ask(logs.dora, limit=10)
    logs.said(logs.line("between", "s9"))
    second = logs.ask(logs.dora, limit=10, next=first["next"])
    third = logs.ask(logs.dora, limit=10, next=second["next"])
    got = texts(first["items"] + second["items"] + third["items"])
    assert sorted(got) == sorted(f"line {n}" for n in range(25)) and third["next"] == ""
    assert texts(logs.ask(logs.dora, limit=26, order="oldest")["items"]) == [*got[::-1], "between"]


def test_counts_are_a_histogram(logs: Logs) -> None:
    logs.said(*(logs.line(f"line {n}", level="error" if n < 3 else "info", ago=n * 10) for n in range(12)))
    told = logs.ask(logs.dora, "/lines/counts", since="2m", step="1m")
    assert told["step"] == 60 and sum(b["error"] for b in told["items"]) == 3 and sum(b["info"] for b in told["items"]) == 9
    assert set(told["items"][0]) == {"time", "debug", "info", "warning", "error", "critical"}
    assert len(logs.ask(logs.dora, "/lines/counts")["items"]) <= 120


def test_a_bad_question_names_each_field(logs: Logs) -> None:
    for path in ("/lines", "/lines/counts", "/lines/events"):
        problem = logs.world.ask("GET", f"{path}?level=loud&since=soon&colour=red", logs.dora)
        assert problem.status == 422
        assert [(e["path"], bool(e["rule"]), bool(e["hint"])) for e in problem.json["errors"]] == [
            ("colour", True, True), ("level", True, True), ("since", True, True)]  # fmt: skip
    for token in (logs.dora, logs.otto):
        assert logs.world.platform.peers.ask("GET", "/lines/events", b"", token, {"last-event-id": "zz"}).status == 422


def test_rubbish_on_the_topic_stops_nothing(logs: Logs) -> None:
    logs.said(b"rubbish", logs.line("one"), b"{}", logs.line("two"))
    assert logs.texts(logs.dora) == ["two", "one"]
    assert logs.world.ask("GET", "/lines", logs.dora).status == 200


def test_a_line_said_twice_is_kept_once(logs: Logs) -> None:
    lines = [logs.line(f"line {n}") for n in range(5)]
    logs.said(*lines)
    logs.said(*lines[2:], logs.line("line 5"))
    assert logs.texts(logs.dora, order="oldest") == [f"line {n}" for n in range(6)]


def test_a_tail_begins_with_the_newest_goes_on_live_and_resumes_wherever_it_was_cut(logs: Logs) -> None:
    """Cut after every single event: no line is missing, none comes twice, kept ones and new ones alike."""
    logs.said(*(logs.line(f"line {n:02}", f"s{n % 3}", ago=20 - n) for n in range(10)))
    logs.unkept(*(logs.line(f"line {n:02}", f"s{n % 3}", ago=20 - n) for n in range(10, 14)))
    got: list[str] = []
    last = ""
    for step in range(20):
        if step == 6:
            logs.said(*(logs.line(f"line {n:02}", f"s{n % 3}", ago=20 - n) for n in range(14, 17)))
        if step == 12:
            logs.unkept(logs.line("line 17"), logs.line("line 18"), logs.line("hidden", deployment="other"), logs.line("line 19"))
        if len(got) == 15:
            break
        [(last, event, data)] = logs.tail(logs.dora, 1, last, last=5, deployment="d1")
        assert event == "line"
        got.append(data["text"])
    assert sorted(got) == [f"line {n:02}" for n in range(5, 20)], got
    assert got[:5] == [f"line {n:02}" for n in range(5, 10)]


def test_lines_come_while_one_listens(logs: Logs) -> None:
    logs.said(logs.line("before"))
    later = threading.Timer(0.3, logs.unkept, [logs.line("live 1"), logs.line("not mine", workspace="eve"), logs.line("live 2")])
    later.start()
    got = logs.tail(logs.dora, 3)
    later.join()
    assert [data["text"] for _, _, data in got] == ["before", "live 1", "live 2"]
    assert [data["text"] for _, _, data in logs.tail(logs.dora, 2, got[0][0])] == ["live 1", "live 2"]


def test_who_was_away_for_long_is_told_what_is_left_out(logs: Logs) -> None:
    logs.said(logs.line("seen"))
    [(last, _, _)] = logs.tail(logs.dora, 1)
    logs.said(*(logs.line(f"line {n}") for n in range(CATCH_UP + 5)))
    logs.world.pass_time(1.25)
    got = logs.tail(logs.dora, 3, last)
    assert [data.get("count") or data["text"] for _, _, data in got] == [5, "line 5", "line 6"]
    assert [event for _, event, _ in got] == ["dropped", "line", "line"]


def test_lines_of_the_platform_itself_are_not_in_the_loop(logs: Logs) -> None:
    """Keeping a line must not make another: the logger says nothing of what goes well."""
    logs.said(logs.line("one"))
    before = logs.texts(logs.ada)
    logs.world.pass_time(5)
    assert logs.texts(logs.ada) == before
