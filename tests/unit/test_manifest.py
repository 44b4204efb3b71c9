"""The manifest: every rule is seen to refuse something, with its line, and what is right passes."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.errors import Invalid, Problem
from contracts.manifest import Manifest, read_manifest, unsupported
from contracts.manifest_schema import fields, json_schema, schema_text, table
from contracts.manifest_support import NOT_YET
from contracts.manifest_words import written_as
from contracts.manifest_yaml import resolve

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "contracts/examples"
FILES = ["berth.yml", "app.py", "brain.py", "keeper.py", "migrate.py", "src/main.py", "requirements.txt"]
KINDS = ["temperature", "heater", "co2"]

FIVE_MISTAKES = """berth: 1
name: Comfort
version: 1.3.0
tags: [comfort, heating]
services:
  web:
    runtime: pyhton
    command: python app.py
    port: 8000
    public: true  # answers at the app's link
    packages: requirements.txt
    health: {path: healthz, within: 20s}
    instances: 2
    limits: {cpu: 1, memory: 128Mi, pids: 64}
    secrets: [MAIL_PASSWORD]
  brain:
    runtime: python
    command: python brain.py
    packages: requirments.txt
    port: 8001
egress: platform
sensors:
  temperature: {kind: temprature, where: "hq/floor-1/**", at_least: 1}
actuators:
  heater: {kind: heater, where: "hq/floor-2/**", at_least: 1, priority: 5}
"""

SMALL = """berth: 1
name: comfort
version: 1.0.0
services:
  web:
    runtime: python
    command: python app.py
    port: 8000
"""
FULL = (EXAMPLES / "full-berth.yml").read_text()


def problems(text: str, **given: Any) -> tuple[Problem, ...]:
    with pytest.raises(Invalid) as error:
        read_manifest(text, **{"files": FILES, "kinds": KINDS, **given})
    return error.value.problems


def web(line: str) -> str:
    """The small manifest with one more line in its service, line 9."""
    return f"{SMALL}    {line}\n"


def test_the_five_mistakes() -> None:
    found = problems(FIVE_MISTAKES)
    assert [(p.line, p.path, p.value, p.hint) for p in found] == [
        (2, "name", "Comfort", "name: comfort"),
        (7, "services.web.runtime", "pyhton", "runtime: python"),
        (12, "services.web.health.path", "healthz", "path: /healthz"),
        (19, "services.brain.packages", "requirments.txt", "packages: requirements.txt"),
        (23, "sensors.temperature.kind", "temprature", "kind: temperature"),
    ]
    assert found[1].rule == "No runtime is called 'pyhton'."
    assert found[2].rule == "A health path starts with /, not 'healthz'."
    assert found[3].rule == "The zip holds no 'requirments.txt'."


def test_the_five_mistakes_mended_by_their_hints_pass() -> None:
    lines = FIVE_MISTAKES.splitlines()
    for problem in problems(FIVE_MISTAKES):
        assert problem.line is not None
        lines[problem.line - 1] = lines[problem.line - 1].replace(str(problem.value), problem.hint.split(": ")[1])
    assert read_manifest("\n".join(lines), FILES, KINDS).name == "comfort"


def test_the_small_one_and_its_defaults() -> None:
    manifest = read_manifest(SMALL)
    service = manifest.services["web"]
    assert service.argv == ("python", "app.py")
    assert service.probe is not None
    assert service.probe.tcp
    assert (service.limits.cpu, service.limits.memory, service.limits.pids) == (1.0, 256 << 20, 128)
    assert (service.reserved_cpu, service.reserved_memory) == (0.2, 128 << 20)
    assert (manifest.egress, manifest.rollout.step, service.instances) == ("platform", 1, 1)
    assert manifest.line(("services", "web", "port")) == 8
    assert manifest.line(("services", "web", "health")) == 5


def test_the_full_one_says_what_it_says() -> None:
    manifest = read_manifest(FULL, FILES, KINDS)
    service = manifest.services["web"]
    assert service.health is not None
    assert (service.health.path, service.health.within) == ("/healthz", 20.0)
    assert (service.limits.memory, service.reserved_memory, service.reserved_cpu) == (128 << 20, 64 << 20, 0.2)
    assert service.scale is not None
    assert service.scale.cpu == 0.7
    assert manifest.services["keeper"].storage == {"data": 1 << 30}
    assert manifest.services["keeper"].probe == manifest.services["keeper"].health
    assert manifest.rollout.canary is not None
    assert (manifest.rollout.canary.share, manifest.rollout.canary.seconds, manifest.rollout.errors) == (
        0.1,
        120.0,
        0.01,
    )
    assert manifest.egress == ("api.example.org", "weather.example.org")
    assert manifest.workflows["evening"].steps["decide"].arguments == {"mean": "$measure.mean"}


@pytest.mark.parametrize("name", ["berth.yml", "full-berth.yml"])
def test_an_example_is_read_fits_the_schema_and_comes_back_from_json(name: str) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    text = (EXAMPLES / name).read_text()
    manifest = read_manifest(text, FILES, KINDS)
    jsonschema.Draft202012Validator.check_schema(json_schema())
    jsonschema.validate(yaml.safe_load(text), json_schema())
    assert Manifest.model_validate_json(manifest.model_dump_json()) == manifest
    assert Manifest.model_validate(manifest.model_dump(mode="json", exclude_defaults=True)) == manifest


def test_the_annotated_example_asks_for_nothing_unsupported_and_shows_every_key() -> None:
    text = (EXAMPLES / "berth.yml").read_text()
    assert unsupported(read_manifest(text, FILES, KINDS)) == ()
    shown = text + FULL
    assert [path for path, _ in fields(Manifest) if f"{path.split('.')[-1]}:" not in shown] == []


def test_what_is_not_acted_on_is_listed_with_its_line() -> None:
    found = unsupported(read_manifest(FULL, FILES, KINDS))
    lines = FULL.splitlines()
    assert len(found) == len(NOT_YET) - 1
    for problem in found:
        assert problem.line is not None
        assert problem.path.split(".")[-1] in lines[problem.line - 1]
    stepped = read_manifest(SMALL + "rollout: {step: 2}\n")
    assert [problem.path for problem in unsupported(stepped)] == ["rollout.step"]
    assert [p.line for p in unsupported(Manifest.model_validate(stepped.model_dump()))] == [None]


def test_the_committed_schema_and_the_docs_are_current() -> None:
    assert (EXAMPLES / "manifest.schema.json").read_text() == schema_text(), "python -m contracts.manifest_schema"
    docs = (ROOT / "docs/manifest.md").read_text()
    assert table() in docs
    for key, what in NOT_YET:
        assert f"- `{key}`: {what}." in docs


def test_every_key_has_a_description_and_an_example_that_is_read() -> None:
    for path, field in fields(Manifest):
        assert (field.description or "").endswith("."), path
        assert field.examples, path


@pytest.mark.parametrize(("line", "path", "said", "hint"), [
    ("prot: 8000", "prot", "No key is called 'prot'", "Did you mean port?"),
    ("xyzzy: 1", "xyzzy", "No key is called 'xyzzy'", "Choose from: runtime"),
    ("port: 9", "port", "written twice; it stands in line 8", "Keep one"),
    ("instances: two", "instances", "whole number from 1 to 100, not 'two'", ""),
    ("instances: 0", "instances", "whole number from 1 to 100, not 0", ""),
    ("instances: 101", "instances", "whole number", ""),
    ("instances: 1.5", "instances", "whole number", ""),
    ("instances: true", "instances", "not true", ""),
    ('instances: "2"', "instances", "not '2'", "instances: 2"),
    ("instances:", "instances", "has no value", "Write one"),
    ("public: yes", "public", "true or false, not 'yes'", "public: true"),
    ("public: 1", "public", "true or false", "public: true"),
    ("limits: 5", "limits", "a set of keys, not 5", "For example"),
    ("limits: {cpu: 0}", "limits.cpu", "from 0.05 to 64", ""),
    ("limits: {cpu: 250m}", "limits.cpu", "from 0.05 to 64", "cpu: 0.25"),
    ("limits: {memory: 128}", "limits.memory", "between 16Mi and 256Gi, not 128", "memory: 128Mi"),
    ("limits: {memory: 128MB}", "limits.memory", "written like 128Mi", "memory: 128Mi"),
    ("limits: {memory: much}", "limits.memory", "written like 128Mi", "Units are"),
    ("limits: {memory: 1Ki}", "limits.memory", "between", ""),
    ("limits: {pids: 1}", "limits.pids", "from 8", ""),
    ("reserve: {cpu: 2}", "reserve.cpu", "limit of 1", "cpu: 1"),
    ("reserve: {memory: 1Gi}", "reserve.memory", "limit of 256Mi", "memory: 256Mi"),
    ("health: {}", "health", "exactly one of path, tcp and heartbeat, not none", "Keep one"),
    ("health: {path: /x, tcp: true}", "health", "not path and tcp", "Keep one"),
    ("health: {tcp: false}", "health.tcp", "is true, not false", "tcp: true"),
    ("health: {path: 'http://web:8000/healthz'}", "health.path", "starts with /", "path: /healthz"),
    ("health: {path: '/a b'}", "health.path", "starts with /", "Write only"),
    ("health: {path: /x, within: soon}", "health.within", "written like 20s", "Units"),
    ("health: {path: /x, within: 2h}", "health.within", "between 1s and 15m", ""),
    ("health: {path: /x, within: 20sec}", "health.within", "written like 20s", "within: 20s"),
    ("packages: ../requirements.txt", "packages", "holds no", ""),
    ("packages: ./requirements.txt", "packages", "from its root", "packages: requirements.txt"),
    ("packages: requirements.lock", "packages", "holds no 'requirements.lock'", "packages: requirements.txt"),
    ("storage: {Data: 1Gi}", "storage.Data", "named small", "Call it data"),
    ("storage: {etc: 1Gi}", "storage.etc", "system's own", "mounted"),
    ("storage: {data: 1}", "storage.data", "between 1Mi", "data: 1Mi"),
    ("scale: {at_most: 3}", "scale", "exactly one of cpu, requests and lag, not none", "Keep one"),
    ("scale: {at_most: 3, cpu: 70%, lag: 5}", "scale", "not cpu and lag", "Keep one"),
    ("scale: {cpu: 70%}", "scale.at_most", "missing", "at_most: 6"),
    ("scale: {at_most: 3, cpu: 70}", "scale.cpu", "between 5% and 100%, not 70", "cpu: 70%"),
    ("scale: {at_most: 3, requests: fast}", "scale.requests", "like 50/s", "Units"),
    ("environment: {BERTH_URL: x}", "environment.BERTH_URL", "the platform's", ""),
    ("environment: {A B: x}", "environment.A B", "letters, digits and _", "Call it A_B"),
    ("environment: {A: [1]}", "environment.A", "one text", ""),
    ("environment: [A]", "environment", "a set of keys, not a list", "For example"),
    ("secrets: MAIL", "secrets", "a list, not 'MAIL'", "secrets: [MAIL]"),
    ("secrets: [MAIL, MAIL]", "secrets.1", "stands twice", "Keep one"),
    ("secrets: [9A]", "secrets.0", "letters, digits and _", ""),
    ("needs: [web]", "needs.0", "cannot need itself", "Remove"),
    ("needs: [wbe]", "needs.0", "No service is called 'wbe'", ""),
])  # fmt: skip
def test_rules_of_a_service(line: str, path: str, said: str, hint: str) -> None:
    found = problems(web(line))
    assert [(p.path, p.line) for p in found] == [(f"services.web.{path}", 9)]
    assert said in found[0].rule
    assert hint in found[0].hint


@pytest.mark.parametrize(("command", "said", "hint"), [
    ("python ap.py", "holds no 'ap.py'", "command: python app.py"),
    ("python3 -u ./ap.py --flag", "holds no 'ap.py'", "command: python3 -u app.py --flag"),
    ("python zzzzzz.py", "holds no 'zzzzzz.py'", "Put it into the zip"),
    ("cd src && python main.py", "without a shell", "script"),
    ("python app.py | tee log", "without a shell", "script"),
    ("python 'app.py", "do not close", "Close"),
    ("[python, app.py]", "not a list", "command: python app.py"),
    ('""', "one text", ""),
])  # fmt: skip
def test_rules_of_a_command(command: str, said: str, hint: str) -> None:
    (found,) = problems(SMALL.replace("python app.py", command))
    assert (found.path, found.line) == ("services.web.command", 7)
    assert said in found.rule
    assert hint in found.hint


@pytest.mark.parametrize("command", [
    "python -m uvicorn app:app", "uvicorn app:app --host 0.0.0.0", "python ./app.py", "python src/main.py -v", "sh start.sh",
    "python -c 'print(1)'", "/usr/bin/python gone.py", "python 'src/main.py' \"a && b\""])  # fmt: skip
def test_commands_that_pass(command: str) -> None:
    read_manifest(SMALL.replace("python app.py", command), FILES)


@pytest.mark.parametrize(("line", "path", "said", "hint"), [
    ("berht: 1", "berht", "No key is called", "Did you mean berth?"),
    ("tags: [Big Thing]", "tags.0", "written small", "big-thing"),
    ("tags: [a, a]", "tags.1", "stands twice", "Keep"),
    ("egress: outside", "egress", "platform or internet, not 'outside'", "Write one"),
    ("egress: interent", "egress", "platform or internet", "egress: internet"),
    ("egress: []", "egress", "at least 1", "For example"),
    ("egress: ['https://api.example.org/v1']", "egress.0", "without scheme", "api.example.org"),
    ("egress: [10.0.0.1]", "egress.0", "without scheme", ""),
    ("release: {service: wbe, command: sh m}", "release.service", "No service is called 'wbe'", "service: web"),
    ("release: {service: web}", "release.command", "missing", "Add"),
    ("release: {service: web, command: python migrat.py}", "release.command", "holds no 'migrat.py'", "migrate.py"),
    ("release: {service: web, command: sh m, within: 2h}", "release.within", "between", ""),
    ("rollout: {step: 0}", "rollout.step", "from 1", ""),
    ("rollout: {canary: 10%}", "rollout.canary", "10% for 2m, not '10%'", "time"),
    ("rollout: {canary: 100% for 2m}", "rollout.canary.share", "between 1% and 99%", ""),
    ("rollout: {errors: 5}", "rollout.errors", "between", "errors: 5%"),
    ("sensors: {t: {kind: temperature}}", "sensors.t.where", "missing", "Add"),
    ("sensors: {t: {kind: temprature, where: hq}}", "sensors.t.kind", "No kind", "kind: temperature"),
    ("sensors: {t: {kind: T, where: hq}}", "sensors.t.kind", "No kind is called 'T'", "temperature"),
    ("sensors: {t: {kind: co2, where: /hq/}}", "sensors.t.where", "no slash at its ends", "where: hq"),
    ("sensors: {t: {kind: co2, where: hq/Floor 1/*}}", "sensors.t.where", "written small", 'where: "hq/floor-1/*"'),
    ("sensors: {t: {kind: co2, where: hq/a**}}", "sensors.t.where", "place", "levels"),
    ("sensors: {t: {kind: co2, where: a/b/c/d/e/f/g/h/i}}", "sensors.t.where", "place", "1 to 8 levels"),
    ("sensors: {t: {kind: co2, where: hq, at_least: 5, at_most: 2}}", "sensors.t.at_most", "which is 5", "at_most: 5"),
    ("sensors: {t: {kind: co2, where: hq, at_most: 0}}", "sensors.t.at_most", "at least", ""),
    ("sensors: {t: {kind: co2, where: hq, at_least: -1}}", "sensors.t.at_least", "from 0", ""),
    ("sensors: {t: {kind: co2, where: hq, policy: nearst}}", "sensors.t.policy", "all or nearest", "policy: nearest"),
    ("sensors: {T T: {kind: co2, where: hq}}", "sensors.T T", "named?|written small", "Call it t-t"),
    ("actuators: {h: {kind: heatr, where: hq}}", "actuators.h.kind", "No kind", "kind: heater"),
    ("actuators: {h: {kind: heater, where: hq, priority: 11}}", "actuators.h.priority", "from 0 to 10", ""),
    ("workflows: {w: {}}", "workflows.w.steps", "missing", "Add"),
    ("workflows: {w: {steps: {}}}", "workflows.w.steps", "at least 1", "For example"),
])  # fmt: skip
def test_rules_of_the_rest(line: str, path: str, said: str, hint: str) -> None:
    found = problems(SMALL + line + "\n")
    assert [(p.path, p.line) for p in found] == [(path, 9)]
    assert any(part in found[0].rule for part in said.split("|"))
    assert hint in found[0].hint


@pytest.mark.parametrize(("steps", "path", "said", "hint"), [
    ("a: {service: wbe, call: POST /x}", "steps.a.service", "No service", "service: web"),
    ("a: {service: web, call: /x}", "steps.a.call", "method and a path", "call: POST /x"),
    ("a: {service: web, call: get x}", "steps.a.call", "method and a path", "call: GET /x"),
    ("a: {service: web, call: FETCH /x}", "steps.a.call", "method and a path", ""),
    ("a: {service: web, call: GET /x, retries: 11}", "steps.a.retries", "from 0 to 10", ""),
    ("a: {service: web, call: GET /x, timeout: 0}", "steps.a.timeout", "between 100ms", ""),
    ("inputs: {service: web, call: GET /x}", "steps.inputs", "No step is called 'inputs'", "another name"),
    ("a: {service: web, call: GET /x, with: {r: $inputs.rom}}", "steps.a.with.r", "No input is called 'rom'", "r: $inputs.room"),
    ("a: {service: web, call: GET /x, with: {r: [$b.y]}}", "steps.a.with.r.0", "No step is called 'b'", "Choose from: a"),
    ("a: {service: web, call: GET /x, with: {r: $}}", "steps.a.with.r", "A reference is written", "$$"),
    ("a: {service: web, call: GET /x, with: {r: $a.y}}", "steps.a", "a needs a", "Remove"),
    ("a: {service: worker, call: GET /x}", "steps.a.service", "has a port, and 'worker' names none", "port: 8000"),
])  # fmt: skip
def test_rules_of_workflows(steps: str, path: str, said: str, hint: str) -> None:
    text = SMALL + "  worker: {runtime: python, command: python app.py}\nworkflows:\n  w:\n    inputs: {room: string}\n"
    (found,) = problems(f"{text}    steps:\n      {steps}\n")
    assert (found.path, found.line) == (f"workflows.w.{path}", 14)
    assert said in found.rule
    assert hint in found.hint


def test_outputs_and_inputs_of_workflows() -> None:
    text = SMALL + "workflows:\n  w:\n    steps: {decide: {service: web, call: GET /x, with: {a: $$5, b: null}}}\n"
    assert read_manifest(text).workflows["w"].steps["decide"].arguments == {"a": "$$5", "b": None}
    assert problems(text + "    outputs: {o: decide.level}\n")[0].hint == "o: $decide.level"
    assert problems(text + "    outputs: {o: $decid.level}\n")[0].hint == "o: $decide.level"
    assert "string or number" in problems(text + "    inputs: {o: text}\n")[0].rule


def test_a_circle_of_steps_and_of_needs() -> None:
    steps = (
        "steps: {a: {service: web, call: GET /x, with: {v: $b.v}}, b: {service: web, call: GET /x, with: {v: $a.v}}}"
    )
    (found,) = problems(f"{SMALL}workflows: {{w: {{{steps}}}}}\n")
    assert "a needs b needs a" in found.rule
    two = "services: {a: {runtime: python, command: sh a, needs: [b]}, b: {runtime: python, command: sh b, needs: [a]}}"
    (found,) = problems(SMALL.split("services:")[0] + two)
    assert "a needs b needs a" in found.rule


def test_rules_between_services() -> None:
    def service(**more: Any) -> str:
        said = {"runtime": "python", "command": "python app.py", **more}
        return SMALL.split("services:")[0] + f"services:\n  web: {written_as(said)}\n"

    other = "  api: {runtime: python, command: python app.py, port: 1234, public: true}\n"
    (found,) = problems(service(port=8000, public=True) + other)
    assert (found.path, found.line, found.hint) == ("services.api.public", 6, "public: false")
    assert problems(service(public=True))[0].rule == "A public service needs a port, and this service names none."
    assert "Health by path needs a port" in problems(service(health={"path": "/x"}))[0].rule
    assert "Health by tcp needs a port" in problems(service(health={"tcp": True}))[0].rule
    assert problems(service(storage={"data": "1Gi"}, instances=2))[0].hint == "instances: 1"
    assert "does not scale" in problems(service(storage={"data": "1Gi"}, scale={"at_most": 2, "lag": 1}))[0].rule
    assert problems(service(instances=3, scale={"at_most": 2, "lag": 1}))[0].hint == "at_most: 3"
    assert problems(service(port=80))[0].rule == "'port' is a whole number from 1024 to 65535, not 80."
    read_manifest(service(port=8000) + other.replace("1234", "8000"))
    assert read_manifest(service()).services["web"].probe is None


def test_runtimes() -> None:
    node = SMALL.replace("runtime: python", "runtime: node")
    assert problems(node)[0].rule == "The runtime 'node' is not available on this installation yet."
    assert read_manifest(node, runtimes=("python", "node")).services["web"].runtime == "node"
    static = node.replace("node", "static").replace("    command: python app.py\n", "")
    assert read_manifest(static, runtimes=["static"]).services["web"].argv == ()
    assert problems(SMALL.replace("    command: python app.py\n", ""))[0].path == "services.web.command"
    assert problems(SMALL.replace(": python\n", ": Python\n"))[0].hint == "runtime: python"
    assert problems(SMALL.replace(": python\n", ": Ruby\n"))[0].hint == "Choose from: python."


def test_a_misspelt_key_is_one_problem_not_two() -> None:
    (found,) = problems(SMALL.replace("runtime:", "runtim:"))
    assert (found.line, found.hint) == (6, "Did you mean runtime?")


def test_what_is_missing_is_said_where_it_belongs() -> None:
    found = problems("berth: 1\nservices:\n  web:\n    command: python app.py\n  x: {}\n")
    assert [(p.path, p.line) for p in found] == [
        ("name", 1), ("version", 1), ("services.web.runtime", 3), ("services.x.runtime", 5)]  # fmt: skip
    assert [p.path for p in problems("berth: 1\nname: a\nversion: 1\nservices: {}\n")] == ["services"]


def test_text_stays_as_it_is_written() -> None:
    manifest = read_manifest(
        SMALL.replace("1.0.0", "1.10") + "    environment: {A: 1.10, B: yes, C: true, D: '', E: 0x1F}\n"
    )
    assert manifest.version == "1.10"
    assert manifest.services["web"].environment == {"A": "1.10", "B": "yes", "C": "true", "D": "", "E": "0x1F"}
    assert read_manifest(SMALL.replace("comfort", "on")).name == "on"
    assert problems(SMALL.replace("comfort", "123"))[0].value == 123
    assert [resolve(t) for t in ("10:30", "1_000", "0o17", ".inf", "2026-01-01", "9" * 30)] == [
        "10:30", "1_000", "0o17", ".inf", "2026-01-01", "9" * 30]  # fmt: skip


def test_aliases_work() -> None:
    text = SMALL + "    environment: &env {A: x}\n  b: {runtime: python, command: sh b, environment: *env}\n"
    assert read_manifest(text).services["b"].environment == {"A": "x"}


@pytest.mark.parametrize(("text", "line", "said", "hint"), [
    ("", 1, "empty", "Begin"),
    ("# only\n", 1, "empty", "Begin"),
    ("a: b: c", 1, "mapping values are not allowed", "quotes"),
    ("berth: 1\nwhere: **\n", 2, "alphabetic", "quotes"),
    ("berth: 1\nwhere: *x\n", 2, "No finished anchor", "quotes"),
    ("a: &a [*a]\n", 1, "No finished anchor", ""),
    ("berth: 1\nb: [1,\nc\n\n", 2, "expected ','", "bracket"),
    ("berth: 1\nb: 'x\n\n", 2, "unexpected end", "quote"),
    ("berth: 1\n\tb: 1", 2, "cannot start any token", "tabs"),
    ("a: 1\n b: 2", 2, "", ""),
    ("berth: 1\n--- \na: 1", 2, "one YAML document", "Remove"),
    ("? [a]\n: b", 1, "plain word", "Write the key"),
    ("- 1", 1, "a set of keys, not a list", "Its keys"),
    ("just text", 1, "a set of keys, not 'just text'", "Its keys"),
    ("berth: 1\nb: \x07", 2, "not allowed here", ""),
    ("berth: 1\nb: \ud800", 2, "not allowed here", ""),
    ("b: @x", 1, "cannot start any token", "quotes"),
    ("b: " + "[" * 50 + "]" * 50, 1, "at most 20 levels", "inner"),
    ("b: [" + "1," * 5_001 + "]", 1, "at most 5000 values", "less"),
    ("b: " + "x" * 262_144, None, "262144 bytes", "files"),
])  # fmt: skip
def test_what_is_not_the_yaml_it_may_be(text: str, line: int | None, said: str, hint: str) -> None:
    (found,) = problems(text)
    assert found.line == line
    assert said in found.rule
    assert hint in found.hint


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('a: "\\0"', "control character"),
        ('a: "\\ud800"', "control character"),
        ("a: !!python/object/apply:os.system [ls]", "no YAML tags"),
        ("a: !x y", "no YAML tags"),
        ("<<: {a: 1}", "No key is called '<<'"),
    ],
)
def test_yaml_tricks_are_said_beside_the_rest(line: str, said: str) -> None:
    found = problems(f"{SMALL}{line}\n")
    assert any(p.line == 9 and said in p.rule for p in found)


def test_a_bomb_of_aliases_is_refused_at_once() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    start = time.perf_counter()
    assert "aliases counted in full" in problems("\n".join(lines))[-1].rule
    assert time.perf_counter() - start < 2


def test_many_problems_are_said_in_part_and_counted() -> None:
    text = SMALL + "".join(f"x{n}: 1\n" for n in range(300))
    with pytest.raises(Invalid, match="300 problems") as error:
        read_manifest(text)
    assert len(error.value.problems) == 100


def test_every_rule_is_a_sentence_that_needs_no_shouting() -> None:
    for problem in (*problems(FIVE_MISTAKES), *problems("berth: 2\nname: [x]\nservices: {A: 3}\nsensors: 4\n")):
        assert problem.rule.endswith(".")
        assert "!" not in problem.rule


WORDS = st.one_of(
    st.sampled_from(["web", "Web", "python", "8000", 8000, True, None, "$a.b", "10%", "128Mi", "hq/**", "/x", 0, -1, 1.5, "GET /x"]),
    st.text(max_size=6), st.integers(), st.floats(allow_nan=False, allow_infinity=False))  # fmt: skip
KEYS = st.sampled_from(sorted({part for path, _ in fields(Manifest) for part in path.split(".")} | {"web", "a b", ""}))
TREES = st.recursive(
    WORDS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=20
)


@given(st.dictionaries(KEYS, TREES, max_size=8))
@settings(max_examples=300, deadline=None)
def test_whatever_is_written_is_read_or_refused_in_sentences(tree: dict[str, Any]) -> None:
    try:
        read_manifest(yaml.safe_dump(tree, allow_unicode=True), FILES, KINDS)
    except Invalid as error:
        assert error.problems
        assert all(problem.rule.endswith(".") and "Traceback" not in problem.rule for problem in error.problems)


@given(st.sampled_from([path for path, _ in fields(Manifest)]), TREES)
@settings(max_examples=400, deadline=None)
def test_a_corrected_line_passes(path: str, wrong: Any) -> None:
    tree = yaml.safe_load(FULL)
    target, there = tree, list[str]()
    for part in path.split(".")[:-1]:
        there.append(part if part != "<name>" else next(iter(target)))
        target = target[there[-1]]
        if not isinstance(target, dict):
            return
    target[key := path.split(".")[-1]] = wrong
    spoilt = ".".join([*there, key])
    try:
        read_manifest(yaml.safe_dump(tree), FILES, KINDS)
    except Invalid as error:
        for problem in error.problems:
            if problem.path == spoilt and problem.hint.startswith(f"{key}: "):
                target[key] = yaml.safe_load(problem.hint)[key]
                left = _problems(yaml.safe_dump(tree))
                assert problem.path not in {other.path for other in left}


def _problems(text: str) -> tuple[Problem, ...]:
    try:
        read_manifest(text, FILES, KINDS)
    except Invalid as error:
        return error.problems
    return ()
