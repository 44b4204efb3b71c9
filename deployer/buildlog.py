"""A build's lines: live in memory while it runs here, in the blob store afterwards."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from backbone.blobs import Blobs
from backbone.clock import Clock, text_of
from contracts.errors import NotFound

CONTAINER = "builds"
LINES_MOST = 20_000
LINE_MOST = 2_000
LOGS_MOST = 20


@dataclass(frozen=True)
class Line:
    n: int
    time: str
    stream: str
    text: str

    def __str__(self) -> str:
        return f"{self.time} {self.stream} {self.text}"


class BuildLogs:
    """The newest few builds' lines stay in memory; `news` is called at each one."""

    def __init__(self, blobs: Blobs, clock: Clock, news: Callable[[], None] = lambda: None) -> None:
        self._blobs, self._clock, self.news = blobs, clock, news
        self._lines: OrderedDict[str, list[Line]] = OrderedDict()
        self._lock = threading.Lock()

    def begin(self, release: str) -> None:
        with self._lock:
            self._lines[release] = []
            while len(self._lines) > LOGS_MOST:
                self._lines.popitem(last=False)

    def add(self, release: str, stream: str, text: str) -> None:
        with self._lock:
            lines = self._lines.setdefault(release, [])
            if len(lines) == LINES_MOST:
                text = "The log is longer than is kept; the rest is left out."
            if len(lines) <= LINES_MOST:
                lines.append(Line(len(lines) + 1, text_of(self._clock.now()), stream, text[:LINE_MOST]))
        self.news()

    def end(self, release: str) -> None:
        self._blobs.put(CONTAINER, f"{release}.log", self._text(self.lines(release)).encode())

    def lines(self, release: str, after: int = 0) -> list[Line]:
        """Those after line `after`; of a build that ran in another process, or long ago, from the blob store."""
        with self._lock:
            if release in self._lines:
                return self._lines[release][after:]
        try:
            stored = self._blobs.get(CONTAINER, f"{release}.log").decode("utf-8", "replace").splitlines()
        except NotFound:
            return []
        parts = [line.split(" ", 2) for line in stored]
        return [Line(n, p[0], p[1], p[2]) for n, p in enumerate(parts, 1) if len(p) == 3][after:]

    def text(self, release: str) -> str:
        return self._text(self.lines(release))

    def forget(self, release: str) -> None:
        with self._lock:
            self._lines.pop(release, None)
        self._blobs.delete(CONTAINER, f"{release}.log")

    def _text(self, lines: list[Line]) -> str:
        return "".join(f"{line}\n" for line in lines)
