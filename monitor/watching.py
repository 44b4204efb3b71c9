"""Asks each backing service again and again, and remembers what their answers, and their silence, mean."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace

from backbone.backing import Question
from backbone.clock import Clock, following, left
from backbone.logs import get_log
from contracts.errors import BerthError
from monitor.model_backing import FAILED, PATIENCE, Episode, Service, answered, change, failed, told

log = get_log()
EVERY = 3.0
RESTING = 9.0
"""Where this monitor follows: the one that leads asks often, and what it saw stands in its incidents."""
DOUBT = 1.0
"""Where the last answer was slow or none, or the service is not well: what it has is soon known, and so is its end."""
STALLED = 2.0
"""Seconds between two looks: a monitor that stood still itself for so long kept the services waiting, not they it."""
KEPT = 50
"""Outages remembered, also by the monitor that follows: it may have to write them down."""


class Asked:
    """A question that has no answer yet. `counted`: how often its silence was taken for a failure."""

    def __init__(self, at: float) -> None:
        self.at, self.counted = at, 0


class Watch:
    """Safe to share between threads. Nothing here needs any of the services it asks."""

    def __init__(self, clock: Clock, questions: Mapping[str, Question]) -> None:
        self._clock, self._questions = clock, questions
        self._lock = threading.Lock()
        now = clock.now()
        self._services = {name: Service(name, now, now) for name in questions}
        self._asked: dict[str, Asked] = {}
        self._looked = clock.monotonic()
        self._episodes: list[Episode] = []
        self._closing = threading.Event()

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._questions)

    def services(self) -> list[Service]:
        with self._lock:
            return list(self._services.values())

    def service(self, name: str) -> Service | None:
        with self._lock:
            return self._services.get(name)

    def episodes(self) -> list[Episode]:
        """The outages seen, oldest first."""
        with self._lock:
            return list(self._episodes)

    def ask(self, name: str) -> None:
        """Returns with the answer, however long that takes; meanwhile `look` counts the silence."""
        with self._lock:
            asked = self._asked[name] = Asked(self._clock.monotonic())
        reason = ""
        try:
            self._questions[name]()
        except BerthError as error:
            reason = error.detail
        except Exception as error:
            log.exception("question_failed", service=name)
            reason = f"it could not be asked: {error!r}"
        now = self._clock.now()
        with self._lock:
            self._asked.pop(name)
            before = self._services[name]
            took = self._clock.monotonic() - asked.at
            if not reason and asked.counted >= FAILED:
                self._services[name] = replace(before, well=now, took=took)  # it waited through an outage: the next answer tells
            elif not reason:
                self._see(before, answered(before, now, took))
            elif not asked.counted:
                self._see(before, failed(before, now, reason))

    def look(self) -> None:
        """Counts questions that wait for their answer. Call it twice a second."""
        monotonic, now = self._clock.monotonic(), self._clock.now()
        with self._lock:
            gap, self._looked = monotonic - self._looked, monotonic
            for name, asked in self._asked.items():
                if gap > STALLED:
                    asked.at += gap
                waited = monotonic - asked.at
                if waited >= PATIENCE * (asked.counted + 1):
                    asked.counted += 1
                    before = self._services[name]
                    self._see(before, failed(before, now, f"no answer for {waited:.0f} s"))

    def _see(self, before: Service, after: Service) -> None:
        self._services[after.name] = after
        if news := change(before, after):
            say = log.info if news.state == "up" else log.warning
            say("backing_service", service=after.name, state=news.state, reason=after.reason)
            self._episodes = told(self._episodes, before, news)[-KEPT:]

    def pause(self, name: str, leads: bool) -> float:
        """Seconds from one question to the next."""
        with self._lock:
            service = self._services[name]
        well = service.state == "up" and not service.failed and not service.slow
        return DOUBT if not well else EVERY if leads else RESTING

    def ask_again_and_again(self, name: str, leads: Callable[[], bool]) -> None:
        """A thread's life: one that waits for an answer keeps no other waiting. Who comes to lead asks at once. All are due together."""
        while not self._closing.is_set():
            began, led = self._clock.monotonic(), leads()
            self.ask(name)
            soonest = self._clock.monotonic() + DOUBT / 2
            while leads() <= led and (rest := max(soonest, following(began, self.pause(name, led))) - self._clock.monotonic()) > 0:
                if self._closing.wait(min(rest, EVERY)):
                    return

    def again(self, call: Callable[[], None], seconds: float) -> None:
        """A thread's life, whatever happens in it."""
        while not self._closing.wait(left(self._clock.monotonic(), seconds)):
            try:
                call()
            except Exception:
                log.exception("watch_failed")

    def begin(self, keep: Callable[[], None], leads: Callable[[], bool]) -> None:
        """The threads of a process: one for each service, one that looks, one that writes down."""
        lives: list[tuple[str, Callable[[], None]]] = [(f"ask-{n}", lambda n=n: self.ask_again_and_again(n, leads)) for n in self.names]  # type: ignore[misc]
        lives += [("look", lambda: self.again(self.look, 0.5)), ("keep", lambda: self.again(keep, 0.5))]
        for name, life in lives:
            threading.Thread(target=life, name=name, daemon=True).start()

    def close(self) -> None:
        self._closing.set()
