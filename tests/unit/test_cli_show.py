"""What is printed: problems with a caret, tables, and nothing that steers the terminal."""

from __future__ import annotations

import pytest

from cli import compiler, follow, options, session, show
from cli.failure import Failure, answered
from cli.sse import Event, parsed

LINES = ["berth: 1", "services:", "  web:", "    port: 80          # 80 is root's", "    public: true", "    health: {path: healthz}"]


@pytest.mark.parametrize(
    ("line", "path", "value", "marked"),
    [
        ("    port: 80          # 80 is root's", "services.web.port", 80, "80"),
        ("    public: true", "services.web.public", True, "true"),
        ("    health: {path: healthz, within: 20s}", "services.web.health.path", "healthz", "healthz"),
        ("tags: [one, one]", "tags.1", "one", "one"),
        ("    limits: {cpu: 1, memory: lots}", "services.web.limits", None, "limits"),
        ("  odd", "services.web", None, "odd"),
        ('name: "Comfort"', "name", "Comfort", "Comfort"),
    ],
)
def test_the_caret_stands_under_what_is_wrong(line: str, path: str, value: object, marked: str) -> None:
    start, length = compiler.place(line, path, value)
    assert line[start : start + length] == marked


def test_a_problem_looks_as_a_compiler_tells_it() -> None:
    problem = {"path": "services.web.port", "line": 4, "value": 80, "rule": "Too low.", "hint": "port: 8000"}
    assert [text.plain for text in compiler.told(problem, LINES)] == [
        "",
        "error: Too low.",
        "  --> berth.yml:4 (services.web.port)",
        "4 |     port: 80          # 80 is root's",
        "  |           ^^",
        "  = hint: port: 8000",
    ]


def test_a_problem_without_a_text_says_its_place() -> None:
    assert [t.plain for t in compiler.told({"path": "../x", "rule": "Leaves the folder."}, [])][1:] == [
        "error: Leaves the folder.",
        " --> ../x",
    ]


def test_what_others_wrote_does_not_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    show.say("\x1b[2Jgone [red]red[/]")
    show.table(("name",), [("\x1b]0;title\x07",)], "nothing")
    out, err = capsys.readouterr()
    assert "\x1b" not in out + err and "\x07" not in out
    assert "[red]red[/]" in err


def test_a_pipe_gets_whole_lines(capsys: pytest.CaptureFixture[str]) -> None:
    show.table(("name", "link"), [("x" * 60, "y" * 200)], "nothing")
    assert "x" * 60 + "  " + "y" * 200 in capsys.readouterr().out
    show.table(("name",), [], "nothing")
    assert capsys.readouterr() == ("", "nothing\n")


def test_an_answer_that_is_not_berths_is_called_so() -> None:
    failure = answered(502, None, "GET /me")
    assert (failure.status, failure.detail) == (502, "GET /me was answered with 502, and not by Berth.")
    known = answered(403, {"status": 403, "title": "Forbidden", "detail": "No.", "correlation": "ab"}, "GET /nodes")
    assert (known.detail, known.hint, known.correlation) == ("No.", "`berth whoami` shows your roles and workspaces.", "ab")


def test_events_out_of_lines() -> None:
    lines = ["retry: 500", "", "id: 7", "event: line", "data: 1", "", ": still here", "", "data: {", "data: }", ""]
    assert list(parsed(lines)) == [Event("7", "line", 1), Event("7", "", {})]


def test_key_and_value() -> None:
    assert options.pairs(["a=b=c", "d="], "--env", "A=1") == {"a": "b=c", "d": ""}
    assert options.counts(["web=2"]) == {"web": 2}
    for bad in ("web", "=2", "web=two", "web=-1"):
        with pytest.raises(Failure) as caught:
            options.counts([bad])
        assert caught.value.code == 2


@pytest.mark.parametrize(
    ("given", "made"),
    [
        ("localhost:8443", "https://localhost:8443"),
        ("https://berth.example.com/", "https://berth.example.com"),
        ("http://127.0.0.1:8080/api/v1", "http://127.0.0.1:8080"),
    ],
)
def test_addresses(given: str, made: str) -> None:
    assert session.address(given) == made


@pytest.mark.parametrize("given", ["http://berth.example.com", "ftp://x", "https://"])
def test_addresses_that_are_none(given: str) -> None:
    with pytest.raises(Failure):
        session.address(given)


def test_what_still_serves() -> None:
    d = {"name": "a", "link": "L", "serving": {"generation": 1, "health": "none", "ready": 0, "wanted": 0}}
    assert follow.serving(d) == "Nothing of a serves."
    d["serving"] = {"generation": 2, "health": "degraded", "ready": 1, "wanted": 2}
    assert follow.serving(d) == "Generation 2 still serves (degraded, 1 of 2 instances): L"
