"""One container whose lines are followed: read, told, sent, acknowledged; what failed is read again."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pydantic import ValidationError

from backbone.containers.printed import Mark, Piece, Printer, Stream, Tail
from contracts.lines import Line
from node_manager.lines_joined import Joiner, Whole
from node_manager.model_lines import Listening, Told, fitting

OPEN = 2.0
"""Seconds after which a line without an end is sent as it is."""
LOST = "lines were lost here: {bytes} bytes were rotated away before the agent or Kafka could take them"


def origin(printer: Printer, installation: str, node: str) -> dict[str, Any] | None:
    """What every line of a container has in common; None of one whose lines go another way (a build's own)."""
    labels = printer.labels
    facts: dict[str, Any] = {"source": printer.id, "node": node, "instance": printer.task or printer.name}
    if labels.get("berth.deployment"):
        named = {name: labels.get(f"berth.{name}", "") for name in ("workspace", "app", "deployment", "release", "service")}
        return {**facts, "kind": "app", **named, "generation": int(labels.get("berth.generation") or 0)}
    if labels.get("berth.subsystem"):
        return {**facts, "kind": "subsystem", "service": labels.get("berth.source") or labels["berth.subsystem"]}
    if "berth.job" in labels:
        return None
    return {**facts, "kind": "backing", "service": printer.name.removeprefix(f"{installation}-")}


@dataclass
class Flight:
    """A line on its way. `done`: once it and all before it are acknowledged, reading may begin there."""

    done: Mark
    size: int
    settled: bool = False


class Followed:
    """Used by one thread, but for `settle`, which Kafka's client calls from any."""

    def __init__(self, printer: Printer, facts: Mapping[str, Any], tail: Tail, mark: Mark | None) -> None:
        self.printer, self.gone = printer, False
        self._facts, self._tail = facts, tail
        self._trusted = facts["kind"] in ("subsystem", "backing")
        self._queue: deque[tuple[Line, Mark]] = deque()
        self._flying: deque[Flight] = deque()
        self._lock = threading.Lock()
        self.acked, self._let_go = mark, mark
        self.failed = False
        self._begin()

    def _begin(self) -> None:
        self._joiner = Joiner()
        self._streams: dict[Stream, Listening] = {"out": Listening(self._trusted), "err": Listening(self._trusted)}

    def read(self, most: int, now: float) -> bool:
        """Takes more from the files where all before it is on its way. True: there was something. Unavailable."""
        if self._queue or self.failed:
            self._tail.look()
            return bool(self._queue)
        pieces = self._tail.read(most)
        for piece in pieces:
            if piece.gap:
                self._queue.append((self._gap(piece), piece.after))
            elif whole := self._joiner.take(piece, now):
                self._add(whole)
        for whole in self._joiner.overdue(now if self.gone else now - OPEN) if not pieces else ():
            self._add(whole)
        return bool(pieces)

    def look(self) -> None:
        """Where nothing can be taken now: what Docker rotates meanwhile is held."""
        self._tail.look()

    def send(self, put: Callable[[Line, bytes, Flight], bool]) -> int:
        """Until `put` takes no more; gives how many it took."""
        sent = 0
        while self._queue and not self.failed:
            line, done = self._queue[0]
            encoded = line.encoded()
            flight = Flight(done, len(encoded))
            with self._lock:
                self._flying.append(flight)
            if not put(line, encoded, flight):
                with self._lock:
                    self._flying.pop()
                break
            self._queue.popleft()
            sent += 1
        return sent

    def settle(self, flight: Flight, error: Exception | None) -> None:
        """The mark moves over what is acknowledged without a gap; after an error it stays until all is read again."""
        with self._lock:
            flight.settled = True
            self.failed = self.failed or error is not None
            while self._flying and self._flying[0].settled:
                first = self._flying.popleft()
                if not self.failed:
                    self.acked = first.done

    def tidy(self) -> None:
        """Lets go of files that are done with."""
        if self.acked and self.acked != self._let_go:
            self._let_go = self.acked
            self._tail.let_go(self.acked)

    def again(self) -> bool:
        """After a failure, once nothing is under way any more: reads anew from what is acknowledged. True where it did."""
        with self._lock:
            if not self.failed or self._flying:
                return False
            self.failed = False
        self._queue.clear()
        self._begin()
        self._tail.back(self.acked)
        return True

    @property
    def resting(self) -> bool:
        """All that was read is acknowledged."""
        return not self._queue and not self._flying and not self.failed and not self._joiner.open

    def close(self) -> None:
        self._tail.close()

    def _add(self, whole: Whole) -> None:
        self._queue.append((self._line(whole), whole.done))

    def _line(self, whole: Whole) -> Line:
        heard = self._streams[whole.stream].hear(whole.text)
        try:
            return self._of(whole, heard)
        except ValidationError:  # facts of a shape that no line can bear
            return self._of(whole, replace(heard, text=fitting(heard.text), facts={}, about={}))

    def _of(self, whole: Whole, heard: Told) -> Line:
        facts = {**self._facts, **(heard.about if self._facts["kind"] == "subsystem" else {})}
        return Line(
            position=whole.at.position, time=heard.time or whole.time, level=heard.level, text=heard.text,
            correlation=heard.correlation, facts=heard.facts, **facts,
        )  # fmt: skip

    def _gap(self, piece: Piece) -> Line:
        said = LOST.format(bytes=piece.lost if piece.exact else f"at least {piece.lost}")
        facts = {"lost": piece.lost, "exact": piece.exact}
        return Line(position=piece.at.position, time=piece.time, level="warning", text=said, facts=facts, **self._facts)
