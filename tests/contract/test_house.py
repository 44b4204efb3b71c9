"""The house keeps its rules, and every rule has been seen to fail."""

from __future__ import annotations

import pytest

from tests.support import house
from tests.support.house import LET, RULES, Rule, Source, let, sources

PROSE = '"""A part.\n\nOwns: x.\nHears: x.\nSays: x.\nServes: x.\n"""\n'

# rule, path, a source that breaks it, one beside it that does not
SEEN: tuple[tuple[Rule, str, str, str], ...] = (
    (house.arrows, "contracts/topics.py", "import backbone", "from contracts.errors import Invalid"),
    (house.arrows, "contracts/topics.py", "from tests.support import real", "import json"),
    (house.arrows, "backbone/loop.py", "from monitor.model import Replica", "from contracts import errors"),
    (house.arrows, "backbone/loop.py", "def f():\n    import deployer", "def f():\n    import backbone.bus"),
    (house.arrows, "monitor/store.py", "from deployer.store import Builds", "from monitor.model import Replica"),
    (house.arrows, "monitor/store.py", "from ..deployer import store", "from .model import Replica"),
    (house.arrows, "identity/api.py", "from cli import client", "from backbone import http"),
    (house.arrows, "identity/api.py", "import tests.support.real", "import backbone.http"),
    (house.arrows, "sdk/berth/sensors.py", "import contracts.errors", "from berth import transport"),
    (house.arrows, "cli/main.py", "from backbone.settings import Settings", "from contracts.manifest import read"),
    (house.arrows, "bootstrapper/up.py", "from backbone.bus import Bus", "from backbone.settings import Settings"),
    (house.arrows, "bootstrapper/up.py", "from gateway import config", "from backbone import clock"),
    (house.one_file_for_a_library, "deployer/fleet.py", "import docker", "import json"),
    (house.one_file_for_a_library, "backbone/loop.py", "from kafka import KafkaProducer", "import threading"),
    (house.one_file_for_a_library, "backbone/bus/kafka.py", "import confluent_kafka", "import threading"),
    (house.one_file_for_a_library, "backbone/bus/records.py", "import kafka", "import confluent_kafka"),
    (house.one_file_for_a_library, "identity/store.py", "from azure.storage.blob import BlobClient", "import pydantic"),
    (house.one_file_for_a_library, "identity/store.py", "import left_pad", "import contracts"),
    (house.one_file_for_a_library, "monitor/subsystem.py", "import flask", "import backbone.http"),
    (house.decisions_know_no_web, "identity/store.py", "from starlette.routing import Route", "import json"),
    (house.decisions_know_no_web, "platform_ui/model.py", "import flask", "import json"),
    (house.one_reader_of_the_environment, "backbone/loop.py", "import os\nos.environ['A']", "import os\nos.sep"),
    (house.one_reader_of_the_environment, "monitor/api.py", "from os import environ", "from os import path"),
    (house.one_reader_of_the_environment, "monitor/api.py", "import os\nos.getenv('A')", "getenv = 1"),
    (house.one_clock, "backbone/loop.py", "import time", "from backbone.clock import Clock"),
    (house.one_clock, "backbone/loop.py", "from time import sleep", "import threading"),
    (house.one_clock, "monitor/store.py", "import uuid", "import json"),
    (house.one_clock, "monitor/store.py", "import random", "import math"),
    (house.one_clock, "monitor/store.py", "import datetime\ndatetime.datetime.now()", "datetime.fromisoformat('')"),
    (house.one_clock, "monitor/store.py", "from datetime import datetime\ndatetime.now()", "clock.now()"),
    (house.one_clock, "monitor/store.py", "import os\nos.urandom(1)", "import os\nos.sep"),
    (house.one_clock, "monitor/api.py", "import asyncio\nasyncio.sleep(1)", "import asyncio\nasyncio.gather()"),
    (house.models_are_pure, "monitor/model.py", "import logging", "import dataclasses"),
    (house.models_are_pure, "monitor/model.py", "from backbone.clock import Clock", "from contracts.states import Build"),
    (house.models_are_pure, "monitor/model.py", "from monitor.store import Replicas", "from monitor.model_beats import x"),
    (house.models_are_pure, "deployer/rollout.py", "from pathlib import Path", "from deployer.model import Wish"),
    (house.models_are_pure, "monitor/model.py", "import urllib.request", "from urllib.parse import urlsplit"),
    (house.a_subsystem_says_what_it_is, "monitor/__init__.py", PROSE.replace("Hears:", "Listens:"), PROSE),
    (house.a_subsystem_says_what_it_is, "monitor/__init__.py", PROSE + "import json", PROSE),
    (house.a_subsystem_says_what_it_is, "monitor/__init__.py", "", PROSE),
    (house.files_are_short, "monitor/api.py", "x = 1\n" * 251, "x = 1\n" * 250),
    (house.files_are_short, "tests/unit/test_x.py", "x = 1\n" * 551, "x = 1\n" * 550),
    (house.files_say_why_they_exist, "monitor/api.py", "x = 1", '"""Why."""\nx = 1'),
    (house.nobody_prints, "monitor/api.py", "print(1)", "blueprint(1)"),
    (house.nobody_prints, "sdk/berth/sensors.py", "print(1)", "log(1)"),
    (house.nothing_is_mocked, "tests/unit/test_x.py", "from unittest.mock import patch", "from unittest import main"),
    (house.nothing_is_mocked, "tests/unit/test_x.py", "from unittest import mock", "import pytest"),
)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_house_keeps(rule: Rule) -> None:
    broken = [
        f"{source.path}:{line}: {problem}"
        for source in sources()
        for line, problem in rule(source)
        if not let(source, problem)
    ]
    assert not broken, "\n".join([rule.__doc__ or rule.__name__, *broken])


@pytest.mark.parametrize(
    ("rule", "path", "bad", "good"), SEEN, ids=[f"{rule.__name__}-{n}" for n, (rule, *_) in enumerate(SEEN)]
)
def test_a_rule_sees_what_breaks_it(rule: Rule, path: str, bad: str, good: str) -> None:
    assert list(rule(Source(path, bad)))
    assert not list(rule(Source(path, good)))


def test_every_rule_has_been_seen_to_fail() -> None:
    assert {rule for rule, *_ in SEEN} == set(RULES)


def test_what_is_let_is_still_needed() -> None:
    used = {let(source, problem) for source in sources() for rule in RULES for _, problem in rule(source)}
    assert set(LET) <= used, f"take these out of LET: {set(LET) - used}"


def test_there_is_a_house() -> None:
    assert {source.package for source in sources()} >= {"contracts", "backbone", "app_controller", "deployer"}
