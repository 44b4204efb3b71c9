"""A change and what it says are one write: a process killed by -9 between the two loses neither, on real Kafka and PostgreSQL."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid

import pytest

from backbone.backbone import Backbone
from backbone.settings import Settings
from contracts.message import Envelope
from contracts.topics import AUDIT
from tests.support.dying import NOUNS, Asked
from tests.support.real import address

pytestmark = pytest.mark.real


def run(mode: str, noun: str) -> int:
    """The process's exit code; -9 where it was killed."""
    command = [sys.executable, "-m", "tests.support.dying", mode, noun]
    return subprocess.run(command, timeout=90, check=False, env={**os.environ, "PYTHONPATH": "."}).returncode


class Listener:
    """What was said of a noun so far; saying it twice gives one id."""

    def __init__(self, probe: Backbone, noun: str) -> None:
        self._reader, self._noun, self.heard = probe.bus.reader(AUDIT), noun, set[str]()
        self.listen(self._reader.read_to_end())

    def listen(self, envelopes: list[Envelope]) -> None:
        self.heard |= {e.id for e in envelopes if e.name == "Told" and e.body["noun"] == self._noun}

    def until(self, count: int, seconds: float) -> None:
        end = time.monotonic() + seconds
        while len(self.heard) != count:
            assert time.monotonic() < end, self.heard
            self.listen(self._reader.poll(0.2))


@pytest.mark.parametrize("mode", ["handler", "route"])
def test_killed_between_store_and_send(mode: str) -> None:
    address("KAFKA_URL"), address("POSTGRES_URL")
    assert Settings.from_environment().has("POSTGRES_URL")
    probe, noun = Backbone.from_environment("dying"), uuid.uuid4().hex
    if mode == "handler":
        probe.bus.send([(s.topic, s.key, s.envelope) for s in probe.wrapper.wrap([Asked(noun=noun)])])
    assert run(mode, noun) == -signal.SIGKILL
    stored = probe.documents.collection(NOUNS).get(noun)
    assert stored and stored.doc["unsaid"], "it died after the store, with something left to say"
    listener = Listener(probe, noun)
    assert listener.heard == set(), "it died before the send"

    assert run("again", noun) == 0
    listener.until(1, 20)
    after = probe.documents.collection(NOUNS).get(noun)
    assert after and not after.doc["unsaid"]
