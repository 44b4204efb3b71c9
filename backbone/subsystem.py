"""One of the platform's own parts as a process: HTTP in front, the loop beside it, both stopped by one SIGTERM."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from backbone import http, logs, server
from backbone.backbone import Backbone
from backbone.live import Live
from backbone.loop import Follow, Handler, Loop, Tick
from backbone.pulse import Pulse
from contracts.errors import Unavailable
from contracts.message import Message
from contracts.messages import Beat

log = logs.get_log()
FOLLOWED = 1.0
"""Seconds that a follower waits for something to do."""


@dataclass
class Subsystem:
    """What a room gives to be run. `ready` answers the reasons why it cannot serve now (none: it can).

    `follows` are works that wait for something of their own, each on a thread beside the loop. `start` is called once before
    anything is served, `stop` once after. `api` is the Flask side, `routes` what stays open.
    """

    backbone: Backbone
    handlers: Mapping[type[Message], Handler] = field(default_factory=dict)
    ticks: Sequence[Tick] = ()
    follows: Sequence[Follow] = ()
    api: Any = None
    routes: Sequence[Any] = ()
    live: Live | None = None
    start: Callable[[], None] = lambda: None
    stop: Callable[[], None] = lambda: None
    ready: Callable[[], list[str]] = lambda: []
    checks_tokens: bool = True

    def __post_init__(self) -> None:
        self.live = self.live or Live()
        self.pulse = Pulse(self.backbone.clock)
        self._stopping = False
        self._running = False
        self._threads: list[threading.Thread] = []
        self._pulses = [self.pulse]
        self._own_threads = False

    def loop(self) -> Loop:
        """The loop of this replica, on the twins or on the real bus."""
        b = self.backbone
        group = f"{b.installation}.{b.source}"
        handlers = {kind: self.pulse.around(handler) for kind, handler in self.handlers.items()}
        looks = () if self._own_threads else tuple(one.tick() for one in self.follows)
        ticks = [replace(tick, call=self.pulse.around(tick.call)) for tick in (*self.ticks, *looks)]
        return Loop(
            b.source, group, b.bus, b.clock, b.outbox, b.wrapper, handlers, ticks, self._beat, lambda: self._stopping
        )

    def app(self) -> Any:
        """The ASGI app: live routes, Flask behind them, /live and /ready."""
        assert self.live is not None
        return http.compose(self.api, self.routes, self.live, self.reasons, self.problem)

    def reasons(self) -> list[str]:
        return ([] if self._running else ["still starting"]) + self.ready()

    def problem(self) -> str:
        """Why the process is as good as dead, "" where it is not."""
        return next((problem for pulse in self._pulses if (problem := pulse.problem())), "")

    def begin(self) -> Loop:
        """Everything short of threads and sockets: keys read to their end, `start` called, the loop made."""
        if self.checks_tokens:
            self.backbone.tokens.catch_up()
        self.start()
        loop = self.loop()
        self._running = True
        return loop

    def run(self) -> None:
        """Serves until SIGTERM. A loop that breaks ends the process, so that it is seen and replaced."""
        b = self.backbone
        logs.set_up(b.source, b.replica, node=b.node, incarnation=b.incarnation)
        assert self.live is not None
        app = self.app()
        self._own_threads = True
        thread = threading.Thread(target=self._work, name="loop", daemon=True)
        thread.start()
        log.info("starting", port=self._port)
        server.serve(app, self._port, self.live)
        self._stopping = True
        for one in (thread, *self._threads):
            one.join(5)
        farewell = threading.Thread(target=self._farewell, name="farewell", daemon=True)
        farewell.start()
        self.stop()
        farewell.join(2)
        log.info("stopped")
        os._exit(0)

    @property
    def _port(self) -> int:
        return int(self.backbone.settings.number("BERTH_PORT", 8000))

    def _work(self) -> None:
        self.pulse.mark()
        try:
            loop = self.begin()
            log.info("started")
            for one in self.follows:
                self._threads.append(threading.Thread(target=self._follow, args=(one,), name=one.name, daemon=True))
                self._threads[-1].start()
            while not self._stopping:
                self.pulse.mark()
                loop.step(loop.wait())
            loop.close()
        except BaseException:
            log.exception("loop_broken")
            os._exit(1)

    def _follow(self, one: Follow) -> None:
        """Until stopped; whatever happens, the next round comes."""
        clock, pulse = self.backbone.clock, Pulse(self.backbone.clock)
        self._pulses.append(pulse)
        while not self._stopping:
            pulse.mark()
            try:
                one.call(FOLLOWED)
            except Unavailable as error:
                log.warning("follower_waits", call=one.name, reason=error.detail)
                clock.sleep(FOLLOWED)
            except Exception:
                log.exception("follower_failed", call=one.name)
                clock.sleep(FOLLOWED)

    def _beat(self) -> Beat:
        b, reasons = self.backbone, self.ready()
        return Beat(
            replica=b.replica,
            incarnation=b.incarnation,
            subsystem=b.name,
            role=b.role,
            node=b.node,
            ready=not reasons,
            reasons=tuple(reasons),
            leaving=self.live is not None and self.live.closing,
            installation=b.installation,
        )

    def _farewell(self) -> None:
        """An ordered stop is no incident: the last beat says so."""
        b = self.backbone
        try:
            b.bus.send([(s.topic, s.key, s.envelope) for s in b.wrapper.wrap([self._beat()])])
        except Unavailable as error:
            log.warning("left_unheard", reason=error.detail)
