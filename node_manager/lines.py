"""Carries what this node's containers print to Kafka: in fair rounds, no faster than Kafka takes it, from where it was left."""

from __future__ import annotations

import threading
from collections.abc import Callable

from backbone.bus.raw import Records
from backbone.clock import Clock
from backbone.containers.printed import Printed, Printer
from backbone.logs import get_log
from contracts.errors import Unavailable
from contracts.lines import Line
from contracts.topics import LINES
from node_manager.lines_followed import Flight, Followed, origin
from node_manager.lines_marks import Marks

log = get_log()
LOOK = 10.0
"""Seconds after which the containers are listed again also where Docker said nothing."""
POLL = 0.2
RESTING = 0.5
"""Seconds to the next round: of containers of which one has printed a moment ago, and of silent ones."""
MOMENT = 5.0
TURN = 64 * 1024
"""Bytes that one container may give in a round before the next one's turn."""
FLYING = 4_000
FLYING_BYTES = 4 << 20
"""Lines and bytes that are sent and not acknowledged: then nothing more is read."""
PAUSE = 1.0


class Shipper:
    def __init__(self, printed: Printed, records: Records, marks: Marks, clock: Clock, installation: str, node: Callable[[], str]) -> None:
        self._printed, self._records, self._marks, self._clock = printed, records, marks, clock
        self._installation, self._node = installation, node
        self._followed: dict[str, Followed] = {}
        self._aside: set[str] = set()
        self._broken: dict[str, str] = {}
        self._look_at, self._pause_until, self._moved_at = 0.0, 0.0, 0.0
        self._flying = self._bytes = 0
        self._lock = threading.Lock()
        self._full, self._first = False, True
        self._unreadable = ""

    @property
    def trouble(self) -> str:
        """Why lines are not carried, "" where all are."""
        return self._unreadable or next(iter(self._broken.values()), "")

    def round(self, changed: bool = False) -> float:
        """One turn for each container, as far as Kafka takes it. Gives the seconds until the next is due."""
        if not self._marks.hold():
            return POLL
        self._records.poll(0.05 if self._full else 0.0)
        self._full = False
        now = self._clock.monotonic()
        if changed or now >= self._look_at:
            self._look(now)
        moved = False
        turns = list(self._followed.values())
        for n, one in enumerate(turns):
            moved |= (served := self._safely(one, now))
            if self._full:  # who was not served is first in the next round
                next = n + 1 if served else n
                self._followed = {f.printer.id: f for f in (*turns[next:], *turns[:next])}
                for waiting in turns[n + 1 :]:
                    waiting.look()
                break
        self._note()
        if moved:
            self._moved_at = now
        return 0.0 if moved or self._full else POLL if now - self._moved_at < MOMENT else RESTING

    def close(self, seconds: float) -> None:
        """What is under way is waited for, so that the next agent begins behind it."""
        try:
            self._records.flush(seconds)
        except Unavailable as error:
            log.info("lines_left_unacknowledged", reason=error.detail)
        self._note(True)

    def _look(self, now: float) -> None:
        """New containers are followed; those that were removed are read to their end."""
        try:
            found = {p.id: p for p in self._printed.printers({"berth.installation": self._installation})}
            for printer in found.values():
                if printer.id in self._followed:
                    self._followed[printer.id].printer = printer
                elif printer.id not in self._aside:
                    self._follow(printer)
            self._unreadable = ""
        except Unavailable as error:
            if not self._unreadable:
                log.warning("printed_unreadable", reason=error.detail)
            self._unreadable, self._look_at = error.detail, now + PAUSE
            return
        self._look_at = now + LOOK
        for id, one in self._followed.items():
            one.gone = id not in found
        self._aside &= found.keys()
        self._broken = {id: reason for id, reason in self._broken.items() if id in found}
        self._forget(found)

    def _follow(self, printer: Printer) -> None:
        facts = origin(printer, self._installation, self._node())
        mark = self._marks.all.get(printer.id)
        tail = self._printed.follow(printer, mark[0] if mark else None) if facts else None
        if facts and tail:
            self._followed[printer.id] = Followed(printer, facts, tail, mark[0] if mark else None)
        else:
            self._aside.add(printer.id)
            if facts:
                log.warning("printed_nowhere", container=printer.id[:12], name=printer.name, hint="Docker has no file of its lines")

    def _forget(self, found: dict[str, Printer]) -> None:
        gone = self._marks.all.keys() - found.keys() - self._followed.keys()
        unseen = [id[:12] for id in gone if not self._marks.all.pop(id)[1]]
        if self._first and unseen:
            log.warning("printed_unseen", containers=unseen, reason="removed while no agent looked; their last lines may be lost")
        self._first = False

    def _safely(self, one: Followed, now: float) -> bool:
        """A bug over one container's lines does not silence the others: it is put aside, and /ready says so."""
        try:
            return self._turn(one, now)
        except Exception as error:
            log.exception("lines_failed", container=one.printer.id[:12], name=one.printer.name)
            self._broken[one.printer.id] = f"the lines of {one.printer.name} are not carried: {error!r}"
            self._aside.add(one.printer.id)
            self._followed.pop(one.printer.id, None)
            one.close()
            return False

    def _turn(self, one: Followed, now: float) -> bool:
        if one.failed and now < self._pause_until:
            one.look()
            return False
        one.again()
        try:
            moved = one.read(TURN, now)
        except Unavailable as error:
            self._unreadable = error.detail
            return False
        sent = one.send(lambda line, encoded, flight: self._put(one, line, encoded, flight))
        one.tidy()
        if one.gone and not (moved or sent) and one.resting:
            one.close()
            del self._followed[one.printer.id]
            self._marks.all.pop(one.printer.id, None)
        return sent > 0 or (moved and not self._full)

    def _put(self, one: Followed, line: Line, encoded: bytes, flight: Flight) -> bool:
        """False: Kafka is behind; the line keeps its place."""
        with self._lock:
            self._full = self._flying >= FLYING or self._bytes >= FLYING_BYTES
        if self._full:
            return False

        def done(error: Exception | None) -> None:
            with self._lock:
                self._flying -= 1
                self._bytes -= flight.size
            one.settle(flight, error)
            self._heard(error)

        try:
            self._records.send(LINES, line.key, encoded, done)
        except Unavailable:
            self._full = True
            return False
        with self._lock:
            self._flying += 1
            self._bytes += flight.size
        return True

    def _heard(self, error: Exception | None) -> None:
        if error is None:
            if self._pause_until:
                self._pause_until = 0.0
                log.info("lines_flow_again")
            return
        if not self._pause_until:
            log.warning("lines_wait", reason=str(error))
        self._pause_until = self._clock.monotonic() + PAUSE

    def _note(self, at_once: bool = False) -> None:
        for id, one in self._followed.items():
            if one.acked:
                self._marks.all[id] = (one.acked, one.printer.ended and one.resting)
        self._marks.keep(at_once)
