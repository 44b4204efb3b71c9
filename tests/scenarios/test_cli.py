"""The command line against a whole platform, over TLS: what a developer does on a first day, and what goes wrong on it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cli import follow
from cli.__main__ import main
from contracts.lines import Line
from tests.scenarios.memory_world import MemoryWorld
from tests.support.lines import line, send
from tests.support.wire_door import wire_door

ROOT = Path(__file__).parents[2]


class Terminal:
    """`run` gives what stood on standard out; `said` is what stood on standard error."""

    def __init__(self, capsys: pytest.CaptureFixture[str], world: MemoryWorld, url: str, folder: Path) -> None:
        self._capsys, self.world, self.url, self.folder, self.said = capsys, world, url, folder, ""

    def run(self, *arguments: object, code: int = 0) -> str:
        self._capsys.readouterr()
        got = main([str(a) for a in arguments])
        out, self.said = self._capsys.readouterr()
        assert got == code, f"{arguments} ended with {got}: {out}{self.said}"
        return out

    def json(self, *arguments: object, code: int = 0) -> Any:
        return json.loads(self.run(*arguments, "--json", code=code))

    def login(self, username: str) -> None:
        """In a process of its own, with a real standard in."""
        command = [sys.executable, "-m", "cli", "login", self.url, "--ca", str(self.folder / "ca.crt"), "-u", username, "--password-stdin"]
        done = subprocess.run(command, input=f"pw-{username}\n", text=True, capture_output=True, cwd=ROOT, check=False)
        assert done.returncode == 0, done.stderr


@pytest.fixture
def terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    monkeypatch.setenv("BERTH_CONFIG", str(tmp_path / "config"))
    monkeypatch.setenv("BERTH_HOME", str(tmp_path / "none"))
    world = MemoryWorld()
    with wire_door(world, tmp_path) as url:
        yield Terminal(capsys, world, url, tmp_path)


@pytest.fixture
def dora(terminal: Terminal) -> Terminal:
    terminal.login("dora")
    return terminal


def app(terminal: Terminal, name: str = "hello", change: Callable[[str], str] = lambda text: text) -> Path:
    folder = terminal.folder / name
    terminal.run("init", folder)
    manifest = folder / "berth.yml"
    manifest.write_text(change(manifest.read_text()))
    return folder


def test_from_nothing_to_a_link_and_back(dora: Terminal) -> None:
    assert "dora" in dora.run("whoami")
    token = dora.run("devices", "add", "thermo", "--place", "hq/lab", "--sensor", "t=temperature").strip()
    assert "curl --cacert ca.crt" in dora.said
    sent = dora.world.ask("POST", "/readings", token, json={"sensor_id": "t", "value": 21.5}).ok(200)
    assert sent["accepted"] == 1

    link = dora.run("deploy", app(dora)).strip()
    assert link == "https://apps.memory/dora/hello/"
    assert "RUNNING" in dora.said and "correlation id: " in dora.said
    assert b"hq/lab: 21.5" in dora.world.visit(link).body
    assert dora.run("open", "hello").strip() == link
    assert "21.5" in dora.run("readings", "t")

    assert [d["name"] for d in dora.json("ps")["items"]] == ["hello"]
    assert [a["newest"]["state"] for a in dora.json("apps")["items"]] == ["BUILT"]
    assert dora.json("releases", "hello")["items"][0]["version"] == "1.0.0"
    assert dora.json("instances", "hello")["items"][0]["state_name"] == "HEALTHY"
    dora.run("log", "hello", "-f")

    again = dora.json("deploy", "hello", "--instances", "web=2", "--env", "A=1", "--where", "temperature=hq/**")
    assert (again["wanted"]["generation"], again["wanted"]["state"], again["link"]) == (2, "RUNNING", link)

    dora.run("stop", "hello")
    assert dora.json("ps", "hello")["items"][0]["wanted"]["state"] == "STOPPED"
    dora.run("open", "hello", code=1)
    dora.run("destroy", "hello", code=2)
    dora.run("destroy", "hello", "--yes")
    assert dora.json("ps")["items"] == []


def test_more_instances_another_release_and_back_again(dora: Terminal) -> None:
    folder = app(dora)
    dora.run("deploy", folder)
    d = dora.json("scale", "hello", "web=2")
    assert (d["wanted"]["state"], d["serving"]["ready"], d["chosen"]["instances"]) == ("RUNNING", 2, {"web": 2})
    manifest = folder / "berth.yml"
    manifest.write_text(manifest.read_text().replace("version: 1.0.0", "version: 1.1.0"))
    d = dora.json("deploy", folder)
    assert (d["release"]["version"], d["serving"]["ready"]) == ("1.1.0", 2), "what was chosen stays"
    d = dora.json("rollback", "hello")
    assert (d["release"]["version"], d["wanted"]["state"], d["serving"]["ready"]) == ("1.0.0", "RUNNING", 2)
    assert dora.json("rollback", "hello", "1.1.0")["release"]["version"] == "1.1.0"
    dora.run("rollback", "hello", "9.9.9", code=1)
    assert "1.1.0, 1.0.0" in dora.said
    dora.run("scale", "hello", "web", code=2)
    dora.run("scale", "hello", "web=99", code=1)
    dora.run("start", "hello", code=1)
    assert "runs already" in dora.said
    dora.run("stop", "hello")
    assert dora.json("start", "hello")["serving"]["ready"] == 2
    assert dora.json("deploy", folder, "--reset")["serving"]["ready"] == 1


def test_of_a_crash_that_comes_again_and_again_the_last_is_shown() -> None:
    head = "Traceback (most recent call last):"
    log = f"starting\n{head}\n  File 'app.py'\nValueError: old\n{head}\nValueError: new\n"
    assert follow._last(log) == [head, "ValueError: new"]
    assert follow._last("no heater found\n\n") == ["no heater found"] and follow._last("") == []


def test_a_bad_manifest_is_shown_with_its_lines(dora: Terminal) -> None:
    folder = app(dora, change=lambda text: text.replace("kind: temperature", "kind: temperatur").replace("port: 8000", "port: 80"))
    dora.run("push", folder, code=1)
    lines = dora.said.splitlines()
    at = next(i for i, line in enumerate(lines) if "kind: temperatur " in line)
    assert lines[at + 1].index("^") == lines[at].index("temperatur ")
    assert lines[at + 1].count("^") == len("temperatur")
    assert "hint: kind: temperature" in lines[at + 2]
    assert "berth.yml:" in dora.said and "correlation id: " in dora.said

    problem = dora.json("push", folder, code=1)
    assert {e["path"] for e in problem["errors"]} == {"sensors.temperature.kind", "services.web.port"}
    assert len(problem["correlation"]) == 32


def test_a_failed_deployment_says_why_and_what_still_serves(dora: Terminal) -> None:
    folder = app(dora)
    dora.run("deploy", folder)
    manifest = folder / "berth.yml"
    manifest.write_text(manifest.read_text().replace("at_least: 0", "at_least: 3").replace("version: 1.0.0", "version: 1.0.1"))
    dora.run("deploy", folder, code=1)
    assert "Needs 3 temperature sensors" in dora.said
    assert "Generation 1 still serves (healthy, 1 of 1 instances): https://apps.memory/dora/hello/" in dora.said
    failed = dora.json("deploy", "hello", code=1)
    assert failed["deployment"]["wanted"]["state"] == "FAILED" and "still serves" in failed["serving"]


def test_what_is_not_there_or_not_allowed_is_a_sentence(dora: Terminal) -> None:
    for arguments, says in (
        (("deploy", "nothing"), "No app nothing in workspace dora."),
        (("deploy", "./nothing"), "There is no nothing."),
        (("push", dora.folder), "holds no berth.yml"),
        (("stop", "nothing"), "No deployment nothing."),
        (("readings", "nothing"), "No sensor nothing."),
        (("devices", "show", "nothing"), "No device nothing."),
        (("nodes",), "This needs one of the roles admin, operator"),
        (("apps", "-w", "ada"), "You may not read in workspace ada"),
    ):
        dora.run(*arguments, code=1)
        assert says in dora.said and "Traceback" not in dora.said


def test_a_kind_of_ones_own(dora: Terminal) -> None:
    dora.run("kinds", "add", "ph", "--unit", "pH", "--minimum", 0, "--maximum", 14)
    assert "0 … 14" in next(line for line in dora.run("kinds").splitlines() if line.startswith("ph "))
    dora.run("devices", "add", "pool", "--place", "hq/pool", "--sensor", "p=ph")
    assert [s["kind"] for s in dora.json("sensors", "--place", "hq/**")["items"]] == ["ph"]
    assert [p["place"] for p in dora.json("places")["items"]] == ["hq", "hq/pool"]
    assert "no kind" in dora.json("devices", "add", "x", "--place", "hq", "--sensor", "p=pph", code=1)["errors"][0]["rule"].lower()
    dora.run("devices", "remove", "pool", "--yes")
    assert dora.json("devices")["items"] == []


def test_lines_are_found_and_followed(dora: Terminal) -> None:
    def said(*lines: Line) -> None:
        send(dora.world.platform.records, lines)
        dora.world.pass_time(1.25)

    now = dora.world.platform.clock.now()
    dora.run("deploy", app(dora))
    [deployment] = dora.json("ps")["items"]
    usual = {"begin": now, "deployment": deployment["id"], "service": "web", "instance": "0123456789"}
    said(line(0, **usual), line(1, text="out of\x1b[2J order", level="error", **usual), line(2, deployment="other", begin=now))
    assert dora.run("logs", "hello").splitlines()[-2:] == [
        f"{now:%m-%d %H:%M:%S}.000  info     web/01234567           line 0",
        f"{now:%m-%d %H:%M:%S}.000  error    web/01234567           out of?[2J order",
    ]
    assert [one["level"] for one in dora.json("logs", "hello", "--level", "warning", "--since", "1h")["items"]] == ["error"]
    assert len(dora.json("logs", "--text", "LINE", "--limit", 5)["items"]) == 2
    assert dora.run("logs", "hello", "--text", "nothing like it") == "" and "No lines." in dora.said
    assert [e["path"] for e in dora.json("logs", "--level", "loud", "--since", "soon", code=1)["errors"]] == ["level", "since"]
    dora.run("logs", "hello", "--subsystem", "deployer", code=2)
    dora.run("logs", "--subsystem", "deployer", code=1)
    assert "admins and operators" in dora.said

    command = [sys.executable, "-m", "cli", "logs", "hello", "-f", "-n", "1", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as follows:
        assert follows.stdout
        assert json.loads(follows.stdout.readline())["text"] == "out of\x1b[2J order"
        said(line(3, **usual), line(4, **usual))
        assert [json.loads(follows.stdout.readline())["text"] for _ in range(2)] == ["line 3", "line 4"]
        follows.terminate()


def test_an_operator_sees_the_platform(terminal: Terminal) -> None:
    terminal.login("otto")
    assert "deployer" in terminal.run("subsystems")
    (node,) = terminal.json("nodes")["items"]
    assert node["heard"]
    assert node["name"] in terminal.run("subsystems") and node["node"] not in terminal.said, "a person knows the machine's name, not its id"
    terminal.run("people", code=1)
    assert "This needs the role admin" in terminal.said
    terminal.login("ada")
    (line,) = [line for line in terminal.run("people").splitlines() if line.startswith("dora")]
    assert "developer, user" in line and "their own" in line
    assert {p["username"] for p in terminal.json("people")["items"]} >= {"ada", "otto", "dora", "uma"}
    assert [line.split()[:2] for line in terminal.run("backing").splitlines()[1:]] == [
        [name, "up"] for name in ("azurite", "haproxy", "kafka", "postgres", "registry", "slapd")
    ]


def test_an_operator_looks_into_incidents_and_restarts(terminal: Terminal) -> None:
    terminal.login("otto")
    terminal.run("incidents")
    assert "No incidents." in terminal.said
    terminal.run("subsystems", "restart", "nobody", code=1)
    assert "No replica or subsystem nobody." in terminal.said
    terminal.run("subsystems", "restart", "", code=2)
    ordered = terminal.json("subsystems", "restart", "sensor-manager-intake", "--no-wait")
    assert (ordered["kind"], ordered["subsystem"], ordered["role"]) == ("restart", "sensor_manager", "intake")
    terminal.run("subsystems", "restart", ordered["replica"], "--no-wait", code=1)
    assert "is being replaced already" in terminal.said

    assert "otto restarts sensor_manager intake" in terminal.run("incidents")
    assert [i["id"] for i in terminal.json("incidents", "--limit", 0)["items"]] == [ordered["id"]]
    told = terminal.run("incidents", "show", ordered["id"][-6:])
    assert "[open]" in told.splitlines()[0] and "otto ordered that replica" in told.splitlines()[1]
    terminal.run("incidents", "ack", ordered["id"])
    assert "seen by otto" in terminal.said and terminal.json("incidents", "show", ordered["id"])["acknowledged_by"] == "otto"
    assert terminal.json("incidents", "show", "nothing", code=1)["status"] == 404

    terminal.world.platform.take_away("slapd", "no server")
    terminal.world.pass_time(6)
    assert any(line.startswith("slapd") and "no server" in line and "away" in line for line in terminal.run("backing").splitlines())
    assert "slapd is away" in terminal.run("incidents")


def test_without_its_ca_nothing_is_sent(terminal: Terminal) -> None:
    command = [sys.executable, "-m", "cli", "login", terminal.url, "-u", "dora", "--password-stdin"]
    done = subprocess.run(command, input="pw-dora\n", text=True, capture_output=True, cwd=ROOT, check=False)
    assert done.returncode == 1
    assert "a certificate that is not trusted" in done.stderr and "--ca FILE" in done.stderr


def test_a_session_outlives_its_tokens_and_ends_with_logout(dora: Terminal) -> None:
    kept = dora.folder / "config" / "contexts.json"
    before = json.loads(kept.read_text())["contexts"][dora.url]
    dora.world.platform.advance(1200, 600)
    dora.run("whoami")
    after = json.loads(kept.read_text())["contexts"][dora.url]
    assert after["access_token"] != before["access_token"] and after["refresh_token"] != before["refresh_token"]
    assert (kept.stat().st_mode & 0o777, kept.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    dora.run("logout")
    dora.run("whoami", code=1)
    assert "Nobody is logged in" in dora.said
    assert dora.world.ask("GET", "/me", after["access_token"]).status == 401
