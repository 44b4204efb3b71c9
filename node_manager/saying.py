"""Gets what the agent sees onto the bus: the newest of each instance, again while the bus is away, in the instance's own action."""

from __future__ import annotations

import threading

from backbone.backbone import Backbone
from backbone.logs import get_log
from contracts.errors import Unavailable
from contracts.messages import InstanceSeen

log = get_log()
PAUSE = 0.5
LOOK = 5.0


class Sayer:
    """`say` never waits; `flush` sends, by one thread at a time."""

    def __init__(self, backbone: Backbone) -> None:
        self._backbone = backbone
        self._waiting: dict[tuple[str, str], tuple[InstanceSeen, str, str]] = {}
        self._news = threading.Condition()
        self._closing = False

    def say(self, news: InstanceSeen, correlation: str = "", workspace: str = "") -> None:
        """Takes the place of what is not sent yet of the same incarnation."""
        with self._news:
            self._waiting[news.instance, news.incarnation] = (news, correlation, workspace)
            self._news.notify()

    def flush(self) -> None:
        """Unavailable: what was not acknowledged is kept."""
        with self._news:
            taken, self._waiting = self._waiting, {}
        try:
            self._send(list(taken.values()))
        except Unavailable:
            with self._news:
                self._waiting = {**taken, **self._waiting}
            raise

    def run(self) -> None:
        """Sends as soon as there is something, until closed."""
        while not self._closing:
            with self._news:
                self._news.wait_for(lambda: self._waiting or self._closing, timeout=LOOK)
            try:
                self.flush()
            except Unavailable as error:
                log.warning("bus_away", reason=error.detail, waiting=len(self._waiting))
                self._backbone.clock.sleep(PAUSE)
            except Exception:  # what cannot be said is said anew in the next repetition
                log.exception("saying_failed")

    def close(self) -> None:
        with self._news:
            self._closing = True
            self._news.notify()

    def _send(self, entries: list[tuple[InstanceSeen, str, str]]) -> None:
        wrap = self._backbone.wrapper.wrap
        said = [one for message, correlation, workspace in entries for one in wrap([message], correlation, workspace)]
        if said:
            self._backbone.bus.send([(s.topic, s.key, s.envelope) for s in said])
