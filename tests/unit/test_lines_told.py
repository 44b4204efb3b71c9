"""What a printed line says of itself: level, words, facts, the action it belongs to."""

from __future__ import annotations

import json

import pytest

from backbone.containers.printed import Mark, Piece, Stream
from contracts.lines import LONGEST
from node_manager.lines_joined import Joiner
from node_manager.model_lines import CUT, Listening, level_of, told
from tests.support.printed import START

TRACE = "0af7651916cd43dd8448eb211c80319c"


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("hello", "info"),
        ("ERROR: it broke", "error"),
        ("error: it broke", "error"),
        ("[error] it broke", "error"),
        ("Error opening the door", "info"),
        ("Warning: old", "warning"),
        ("WARN old", "warning"),
        ("DEBUG:root:x", "debug"),
        ("2026-01-05 08:00:00,123 - my.app - WARNING - careful", "warning"),
        ("2026-01-05T08:00:00Z ERROR name: x", "error"),
        ("[2026-01-05 08:00:00,123] INFO [RaftManager id=1] Completed (kafka.raft)", "info"),
        ("[2026-01-05 08:00:00,123] ERROR [Broker id=1] x", "error"),
        ("[2026-01-05 08:00:00 +0000] [7] [CRITICAL] WORKER TIMEOUT", "critical"),
        ("2026-01-05 08:00:00.123 UTC [12] LOG:  checkpoint starting", "info"),
        ("2026-01-05 08:00:00.123 UTC [12] FATAL:  no password", "critical"),
        ("2026-01-05 08:00:00.123 UTC [12] ERROR:  duplicate key", "error"),
        ("[WARNING]  (1) : a server is down", "warning"),
        ("[INFO] [ERROR] both", "info"),
        ("said ERROR in the middle of what it said", "info"),
        ("ERRORS are many", "info"),
        ('time="2026-01-05T08:00:00Z" level=warning msg="no login"', "warning"),
        ("level=odd", "info"),
        ("%4|1795881451.791|METADATAUPDATE|rdkafka#producer-2| x", "warning"),
        ("<3>it broke", "error"),
        ("", "info"),
    ],
)
def test_the_level_is_the_word_it_begins_with(text: str, level: str) -> None:
    assert level_of(text) == level


def test_our_own_lines_are_read_whole() -> None:
    line = {
        "event": "build_moved", "release": "r1", "state": "BUILT", "note": "two words", "level": "warning",
        "time": "2026-01-05T08:00:01.5Z", "correlation": TRACE,
        "workspace": "dora", "subsystem": "deployer", "replica": "t1", "node": "n1", "incarnation": "i",
    }  # fmt: skip
    heard = told(json.dumps(line), True)
    assert heard.text == 'build_moved release=r1 state=BUILT note="two words" workspace=dora'
    assert (heard.level, heard.correlation) == ("warning", TRACE)
    assert heard.facts == {"release": "r1", "state": "BUILT", "note": "two words", "workspace": "dora"}
    assert heard.about == {"workspace": "dora", "release": "r1"} and heard.time and heard.time.second == 1


def test_a_traceback_stands_below_its_event() -> None:
    heard = told(json.dumps({"event": "loop_broken", "level": "error", "exception": "Traceback:\n  x\nValueError"}), True)
    assert heard.text == "loop_broken\nTraceback:\n  x\nValueError" and heard.level == "error" and heard.facts == {}


def test_an_app_is_not_believed_about_whose_line_it_is() -> None:
    heard = told(json.dumps({"message": "hi", "workspace": "another", "time": "1999-01-01T00:00:00Z", "n": 1}))
    assert heard.about == {} and heard.time is None and heard.text == "hi workspace=another n=1"


@pytest.mark.parametrize(
    ("level", "means"),
    [("WARN", "warning"), ("Error", "error"), (30, "info"), (50, "error"), ("odd", "info"), (None, "info"), (True, "info")],
)
def test_an_apps_json_bears_its_level(level: object, means: str) -> None:
    assert told(json.dumps({"msg": "x", "level": level})).level == means


@pytest.mark.parametrize("text", ['{"a": 1}', "{not json}", "{}", '{"msg": 3}', "[1]", "{" * 3000 + "}"])
def test_other_braces_are_text(text: str) -> None:
    assert told(text).text == text


@pytest.mark.parametrize(
    "text",
    [
        f"served traceparent=00-{TRACE}-b7ad6b7169203331-01 in 3 ms", f"correlation={TRACE} x", f'correlation: "{TRACE}"',
        json.dumps({"msg": "x", "traceparent": f"00-{TRACE}-b7ad6b7169203331-01"}), json.dumps({"msg": "x", "trace_id": TRACE}),
    ],
)  # fmt: skip
def test_the_action_is_found(text: str) -> None:
    assert told(text).correlation == TRACE


def test_a_number_of_that_length_is_no_action() -> None:
    assert told(f"digest {TRACE}").correlation == ""
    assert told(json.dumps({"msg": "x", "correlation": "me"})).correlation == ""


def test_a_python_traceback_is_an_error_to_its_last_line() -> None:
    stream = Listening(False)
    lines = ["before", "Traceback (most recent call last):", '  File "a.py", line 1', "    x()", "ValueError: no", "after"]
    assert [stream.hear(line).level for line in lines] == ["info", "error", "error", "error", "error", "info"]


def test_what_no_database_keeps_is_made_fit() -> None:
    assert told("a\0b").text == "a\ufffdb"
    assert told("a\ud800b").text == "a?b"
    assert told("\x1b[31mERROR\x1b[0m: red").level == "error"
    odd = told('{"msg": "x\\u0000", "a": "\\u0000", "b": "\\ud800"}')
    assert odd.facts == {} and "\0" not in odd.text
    long = told("x" * (LONGEST + 1)).text
    assert len(long) == LONGEST and long.endswith(CUT)


def piece(n: int, text: str, ends: bool = True, stream: Stream = "out") -> Piece:
    return Piece(Mark(1, n), Mark(1, n + 1), START, stream, text, ends)


def test_pieces_of_a_line_are_joined_and_the_mark_waits_for_its_beginning() -> None:
    joiner = Joiner()
    assert joiner.take(piece(0, "a", False), 0) is None
    other = joiner.take(piece(1, "other", stream="err"), 0)
    assert other and (other.text, other.done) == ("other", Mark(1, 0))
    whole = joiner.take(piece(2, "b"), 0)
    assert whole and (whole.text, whole.at, whole.done) == ("ab", Mark(1, 0), Mark(1, 3))


def test_a_line_whose_end_does_not_come_is_given_out() -> None:
    joiner = Joiner()
    joiner.take(piece(0, "name? ", False), 10)
    assert joiner.overdue(9.9) == [] and joiner.open
    (whole,) = joiner.overdue(10)
    assert (whole.text, whole.done) == ("name? ", Mark(1, 1)) and not joiner.open


def test_an_endless_line_takes_no_more_memory() -> None:
    joiner = Joiner()
    for n in range(100):
        joiner.take(piece(n, "x" * 16384, False), n)
    (whole,) = joiner.overdue(1000)
    assert len(whole.text) == 4 * 16384
