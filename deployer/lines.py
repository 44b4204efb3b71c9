"""A build's lines on their way to the logger while it builds, beside the log that is kept with the release."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

from backbone.backbone import Backbone
from backbone.bus.raw import Records
from backbone.logs import get_log
from contracts.errors import Unavailable
from contracts.lines import LONGEST, Level, Line
from contracts.topics import LINES
from deployer.build import Build

log = get_log()
WAITING = 20_000
"""Lines that are kept while Kafka is away; of more the oldest are dropped, and that is logged: the release's own log has them."""
LEVELS: dict[str, Level] = {"ERROR": "error", "WARNING": "warning", "DEPRECATION": "warning", "CRITICAL": "critical"}


class BuildLines:
    """Each try of a build has positions of its own, from the microsecond it began: a try that a killed process left
    unfinished and the next one are both there to be read. Safe to share between threads."""

    def __init__(self, backbone: Backbone) -> None:
        self._records: Callable[[], Records] = lambda: backbone.records
        self._clock, self._node = backbone.clock, backbone.node
        self._next: dict[str, int] = {}
        self._again: deque[Line] = deque()
        self._flying = self._dropped = 0
        self._lock = threading.Lock()

    def begin(self, release: str) -> None:
        with self._lock:
            now = int(self._clock.now().timestamp() * 1_000_000)
            self._next[release] = max(now, self._next.get(release, 0))

    def say(self, build: Build, text: str, level: Level | None = None) -> None:
        with self._lock:
            position = self._next.get(build.release, 0)
            self._next[build.release] = position + 1
        word = text.split(":", 1)[0].strip()
        self._send(
            Line(
                source=f"build:{build.release}", position=position, time=self._clock.now(), kind="build",
                level=level or LEVELS.get(word, "info"), text=text.replace("\0", "")[:LONGEST], workspace=build.workspace, app=build.app,
                release=build.release, node=self._node, correlation=build.correlation,
            )
        )  # fmt: skip

    def end(self, release: str) -> None:
        """Waits a moment for what is under way, so that little is open where the process ends now."""
        for _ in range(20):
            self.look()
            with self._lock:
                if not (self._flying or self._again):
                    return
            self._records().poll(0.05)
        log.warning("build_lines_wait", release=release, lines=self._flying + len(self._again))

    def look(self) -> None:
        """Settles what Kafka has answered, and sends again what it did not take."""
        if not (self._flying or self._again):
            return
        self._records().poll(0)
        with self._lock:
            again, self._again = self._again, deque()
            dropped, self._dropped = self._dropped, 0
        if dropped:
            log.warning("build_lines_dropped", lines=dropped, hint="the build's own log has them")
        for line in again:
            self._send(line)

    def _send(self, line: Line) -> None:
        def done(error: Exception | None) -> None:
            with self._lock:
                self._flying -= 1
            if error:
                self._keep(line)

        with self._lock:
            self._flying += 1
        try:
            self._records().send(LINES, line.key, line.encoded(), done)
        except Unavailable as error:
            done(error)

    def _keep(self, line: Line) -> None:
        with self._lock:
            self._again.append(line)
            if len(self._again) > WAITING:
                self._again.popleft()
                self._dropped += 1
