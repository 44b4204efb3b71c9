"""Up to where Kafka has each container's lines, kept over the agent's own death; one agent of a node at a time."""

from __future__ import annotations

import fcntl
import json
import os
from pathlib import Path

from backbone.clock import Clock
from backbone.containers.printed import Mark
from backbone.logs import get_log

log = get_log()
EVERY = 1.0


class Marks:
    """Without a folder it keeps them in memory alone. `all` holds, by container, (mark, whether that is all it will print)."""

    def __init__(self, folder: Path | None, clock: Clock) -> None:
        self._folder, self._clock = folder, clock
        self.all: dict[str, tuple[Mark, bool]] = {}
        self._kept, self._next, self._lock = "", 0.0, -1

    def hold(self) -> bool:
        """True once this agent alone keeps them: while one replaces another both run, and the second waits."""
        if self._folder is None or self._lock >= 0:
            return True
        lock = os.open(self._folder / "lines.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            return False
        self._lock = lock
        self._read()
        return True

    def keep(self, at_once: bool = False) -> None:
        """At most once a second; the file is whole at every moment."""
        now = self._clock.monotonic()
        if self._folder is None or self._lock < 0 or (now < self._next and not at_once):
            return
        self._next = now + EVERY
        text = json.dumps({name: [*mark, ended] for name, (mark, ended) in sorted(self.all.items())})
        if text == self._kept:
            return
        new = self._folder / "lines.new"
        new.write_text(text)  # not forced to disk: after a power cut lines are said again, and kept once
        new.replace(self._folder / "lines.json")
        self._kept = text

    def _read(self) -> None:
        assert self._folder
        try:
            text = (self._folder / "lines.json").read_text()
            self.all = {name: (Mark(file, offset), ended) for name, (file, offset, ended) in json.loads(text).items()}
        except FileNotFoundError:
            return
        except ValueError as error:
            log.error("marks_unreadable", reason=str(error), hint="all that Docker still keeps is said again, and kept once")
