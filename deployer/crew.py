"""Who does the long work: a few threads of the process, or, with no workers, the caller itself (a world in one process)."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable

from backbone.logs import get_log

log = get_log()


class Crew:
    """Works on each name once at a time; asked again while it is at it or has it queued, it forgets the second."""

    def __init__(self, workers: int, work: Callable[[str], None]) -> None:
        self._work = work
        self._queue: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._busy: set[str] = set()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._run, name=f"worker-{n}", daemon=True) for n in range(workers)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def ask(self, name: str) -> None:
        with self._lock:
            if name in self._busy:
                return
            self._busy.add(name)
        if self._threads:
            self._queue.put(name)
        else:
            self._do(name)

    def _run(self) -> None:
        while True:
            self._do(self._queue.get())

    def _do(self, name: str) -> None:
        try:
            self._work(name)
        except Exception:
            log.exception("work_failed", work=name)
        finally:
            with self._lock:
                self._busy.discard(name)
