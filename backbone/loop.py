"""The loop every subsystem shares: take a message, call its handler, send what it says, commit; tick; beat."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from backbone.bus import Bus, Received
from backbone.clock import EARLY, Clock, following
from backbone.context import Action, acting
from backbone.kept import Outbox
from backbone.logs import get_log
from backbone.wrapping import Said, Wrapper
from contracts.errors import Invalid, Unavailable
from contracts.message import Envelope, Message
from contracts.messages import Beat

log = get_log()
Handler = Callable[[Any], "Iterable[Message] | None"]
TRIES = 3
BUGS_IN_A_ROW = 10
LONGEST_PAUSE = 10.0
LONGEST_POLL = 1.0
ALWAYS_DUE = 0.1
SWEEP = 10.0
"""Seconds between two looks for what another process has left unsaid; what this one has is sent at once, or again each second."""


@dataclass(frozen=True)
class Tick:
    """Called every `seconds`; may yield messages. What is due each second is due at the same moment (see `backbone.clock.following`)."""

    seconds: float
    call: Callable[[], Iterable[Message] | None]


@dataclass(frozen=True)
class Follow:
    """Work on what comes from elsewhere: `call(seconds)` waits so long for the first of it, and does what came.

    It has a thread of its own, beside the loop, so that nobody asks again and again whether something is there; where a test is
    the clock, the loop calls it with 0.
    """

    call: Callable[[float], object]

    @property
    def name(self) -> str:
        return getattr(self.call, "__qualname__", "?")

    def tick(self) -> Tick:
        """The same work for the loop."""

        def look() -> None:
            self.call(0)

        return Tick(0.0, look)


class Broken(Exception):
    """Ten bugs in a row: the process stops, so that the monitor sees it."""


@dataclass
class Loop:
    """Works on one thread. `step` returns how many messages it took, so that a memory world can settle."""

    name: str
    group: str
    bus: Bus
    clock: Clock
    outbox: Outbox
    wrapper: Wrapper
    handlers: Mapping[type[Message], Handler]
    ticks: Sequence[Tick]
    beat: Callable[[], Beat] | None = None
    stopping: Callable[[], bool] = lambda: False
    _due: dict[int, float] = field(default_factory=dict)
    _next_beat: float = 0.0
    _unready: bool = False
    _next_sweep: float = 0.0
    _next_try: float = 0.0
    _bugs: int = 0

    def __post_init__(self) -> None:
        self._names = {m.__name__: m for m in self.handlers}
        topics = {m.topic.name: m.topic for m in self.handlers}
        self._consumer = self.bus.consumer(self.group, list(topics.values())) if topics else None

    def step(self, seconds: float) -> int:
        received = self._poll(seconds)
        for one in received:
            self._take(one)
        if received and self._consumer:
            self._patiently(self._consumer.commit, once=True)
        self.tick()
        return len(received)

    def _poll(self, seconds: float) -> list[Received]:
        if self._consumer is None:
            if seconds:
                self.clock.sleep(seconds)
            return []
        try:
            return self._consumer.poll(seconds)
        except Unavailable as error:
            self._pause(3, error)
            return []

    def tick(self) -> None:
        """Whatever is due. A beat says that this thread goes round."""
        now = self.clock.monotonic() + EARLY
        if self.beat and now >= self._next_beat:
            self._next_beat = following(now, 1.0)
            self._say(self.beat())
        if now >= self._next_sweep or (self.outbox.left and now >= self._next_try):
            self._next_sweep, self._next_try = following(now, SWEEP), following(now, 1.0)
            self._patiently(self.outbox.sweep, once=True)
        else:
            self._patiently(self.outbox.flush, once=True)
        for position, tick in enumerate(self.ticks):
            if now >= self._due.get(position, 0.0):
                self._due[position] = following(now, tick.seconds)
                self._call(tick.call)
        if self.beat and self._unready and (beat := self.beat()).ready:
            self._say(beat)

    def _say(self, beat: Beat) -> None:
        """One that was not ready says so at once when it is: who waits for it waits for that."""
        self._unready = not beat.ready
        self._send(self.wrapper.wrap([beat]), patient=False)

    def wait(self) -> float:
        """Seconds that a poll may take before something is due; a tick that is always due does not make it spin."""
        now = self.clock.monotonic()
        due = [self._next_try if self.outbox.left else self._next_sweep, *([self._next_beat] if self.beat else [])]
        due += [max(self._due.get(position, 0.0), now + ALWAYS_DUE * (tick.seconds == 0)) for position, tick in enumerate(self.ticks)]
        return min(LONGEST_POLL, max(0.0, min(due) - now))

    def close(self) -> None:
        if self._consumer:
            self._consumer.close()

    def _take(self, one: Received) -> None:
        envelope = one.envelope
        if envelope is None:
            self._bury(one, "not an envelope")
            return
        kind = self._names.get(envelope.name)
        if kind is None:
            return
        with acting(Action(envelope.correlation, envelope.id, envelope.workspace)):
            try:
                message = kind.model_validate(envelope.body)
            except ValidationError as error:
                self._bury(one, f"{envelope.name}: {error.errors(include_url=False, include_input=False)}")
                return
            self._handle(one, message)

    def _handle(self, one: Received, message: Message) -> None:
        tries = 0
        while True:
            try:
                with acting(Action(one.envelope.correlation, one.envelope.id, one.envelope.workspace)):  # type: ignore[union-attr]
                    said = self.wrapper.wrap(self.handlers[type(message)](message) or ())
                    self._send(said)
                    self.outbox.flush()
                self._bugs = 0
                return
            except Invalid as error:
                self._bugs = 0
                return self._bury(one, error.detail)
            except Unavailable as error:
                if self._pause(tries, error):
                    raise
                tries += 1
            except Exception:
                tries += 1
                log.exception("handler_failed", message_name=type(message).__name__, key=message.key, attempt=tries)
                if tries >= TRIES:
                    self._bugs += 1
                    self._bury(one, "a bug: see the log")
                    if self._bugs >= BUGS_IN_A_ROW:
                        raise Broken(f"{BUGS_IN_A_ROW} messages in a row failed") from None
                    return

    def _call(self, call: Callable[[], Iterable[Message] | None]) -> None:
        try:
            self._send(self.wrapper.wrap(call() or ()), patient=False)
            self.outbox.flush()
        except Unavailable as error:
            log.warning("tick_waits", call=getattr(call, "__qualname__", "?"), reason=error.detail)
        except Exception:
            log.exception("tick_failed", call=getattr(call, "__qualname__", "?"))

    def _send(self, said: Sequence[Said], patient: bool = True) -> None:
        if said:
            self._patiently(lambda: self.bus.send([(s.topic, s.key, s.envelope) for s in said]), once=not patient)

    def _patiently(self, call: Callable[[], object], once: bool = False) -> None:
        """Again with growing pauses while the bus is away; `once` gives up at once, for what a later tick repeats."""
        tries = 0
        while True:
            try:
                call()
                return
            except Unavailable as error:
                if once:
                    log.warning("bus_away", reason=error.detail)
                    return
                if self._pause(tries, error):
                    raise
                tries += 1

    def _pause(self, tries: int, error: Unavailable) -> bool:
        """True when the process stops meanwhile: what is in hand is not committed and comes again."""
        log.warning("waits", reason=error.detail, attempt=tries + 1)
        self.clock.sleep(min(LONGEST_PAUSE, 0.1 * 2**tries))
        return self.stopping()

    def _bury(self, one: Received, reason: str) -> None:
        log.error("dead_letter", topic=one.topic.name, key=one.key, reason=reason)
        envelope = Envelope(
            id=self.clock.new_id(),
            name="DeadLetter",
            version=1,
            time=self.clock.now(),
            source=self.name,
            correlation=one.envelope.correlation if one.envelope else "",
            cause=one.envelope.id if one.envelope else "",
            body={"reason": reason, "raw": one.raw.decode("utf-8", "replace")},
        )
        self._patiently(lambda: self.bus.send([(one.topic.dead, one.key, envelope)]))
