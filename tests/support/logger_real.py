"""The logger as a process on the real Kafka and PostgreSQL, with a database of its own, and somebody who follows its tail."""

from __future__ import annotations

import signal
import threading
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from itertools import count
from typing import Any
from urllib.parse import urlencode

from backbone.bus import partition_of
from backbone.bus.records import open_records
from backbone.clock import SystemClock
from backbone.settings import Settings
from backbone.tokens import Claims, SigningKey, new_key, sign
from cli.client import Wire
from cli.failure import Failure
from contracts.topics import LINES
from tests.support.databases import own_database
from tests.support.lines import line, send
from tests.support.process import Process, eventually, running
from tests.support.real import address
from tests.support.sensors_real import Quiet
from tests.support.tokens import subsystem_token

CLOCK = SystemClock()
KAFKA = ("KAFKA_URL", "KAFKA_USER", "KAFKA_PASSWORD")


class LoggerHouse:
    """Dora may read `workspace`. That and `deployment` are this test's own: the topic is shared with an installation."""

    def __init__(self, settings: Quiet, stack: ExitStack) -> None:
        self.settings, self._stack = settings, stack
        self.deployment = self.workspace = f"test-{uuid.uuid4()}"
        self.records = open_records(Settings({name: address(name) for name in KAFKA}))
        stack.callback(self.records.close)
        stack.enter_context(running(["-m", "identity"], settings, 60))
        now = CLOCK.now()
        claims = Claims("dora", "user", CLOCK.new_id(), now + timedelta(hours=1), ("developer",), {self.workspace: "owner"}, "dora")
        self.dora = sign(claims, SigningKey(settings["BERTH_SIGNING_KEY"]), settings["BERTH_INSTALLATION"], now)
        self.said: list[str] = []
        self.process = self._started()

    def _started(self) -> Process:
        token = subsystem_token("logger", self.settings["BERTH_SIGNING_KEY"], self.settings["BERTH_INSTALLATION"], CLOCK.now())
        process = self._stack.enter_context(running(["-m", "logger"], {**self.settings, "BERTH_TOKEN": token}, 60))
        threading.Thread(target=self._drain, args=(process,), daemon=True).start()
        return process

    def _drain(self, process: Process) -> None:
        """A full pipe would hold the process up."""
        assert process.popen.stdout is not None
        self.said += process.popen.stdout

    def die(self) -> None:
        self.process.stop(signal.SIGKILL)

    def rise(self) -> None:
        self.process = self._started()

    def catch_up(self) -> None:
        """Whatever the topic held before is kept: a line at the end of each partition is. A new database begins with all of it."""
        for shard in range(LINES.partitions):
            source = next(name for n in count() if partition_of(LINES, (name := f"{self.workspace}-{n}").encode()) == shard)
            send(self.records, [line(0, source=source, begin=CLOCK.now(), text=f"probe {shard}", **self.whose)])
        eventually(lambda: len(self.kept()) == LINES.partitions, 90)

    @property
    def whose(self) -> dict[str, Any]:
        return {"deployment": self.deployment, "workspace": self.workspace}

    def kept(self) -> list[dict[str, Any]]:
        """All lines of this test, the oldest first."""
        found: list[dict[str, Any]] = []
        next = ""
        while True:
            query = urlencode({"deployment": self.deployment, "order": "oldest", "limit": 1000, "next": next})
            status, page = self.process.ask("GET", f"/api/v1/lines?{query}", token=self.dora)
            if status != 200:
                return found
            found += page["items"]
            next = page["next"]
            if not next:
                return found


class Follower:
    """Follows the tail from now on, comes again where it breaks, and keeps (when it was seen, its text)."""

    def __init__(self, house: LoggerHouse) -> None:
        self.house = house
        self.seen: list[tuple[float, str]] = []
        self.dropped, self.began, self._ends = 0, threading.Event(), False
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    def _follow(self) -> None:
        last, path = "", f"/lines/events?deployment={self.house.deployment}&last=1000"
        while not self._ends:
            try:
                for event in Wire(f"http://127.0.0.1:{self.house.process.port}").events(path, self.house.dora, last):
                    self.began.set()
                    if event.name == "dropped":
                        self.dropped += event.data["count"]
                        continue
                    self.seen.append((CLOCK.monotonic(), event.data["text"]))
                    last = event.id
                    if self._ends:
                        return
            except Failure:
                CLOCK.sleep(0.05)

    def texts(self) -> list[str]:
        return [text for _, text in self.seen]

    def close(self) -> None:
        self._ends = True


@contextmanager
def logger_house() -> Iterator[LoggerHouse]:
    for setting in KAFKA:
        address(setting)
    with own_database("lines") as (name, url):
        settings = Quiet({"POSTGRES_URL": url, "BERTH_INSTALLATION": name, "BERTH_SIGNING_KEY": new_key()})
        with ExitStack() as stack:
            yield LoggerHouse(settings, stack)
