"""Pieces of long lines, joined: Docker cuts every 16 KiB, and what out and err print is woven into one file."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from backbone.containers.printed import Mark, Piece, Stream

LONG = 64 * 1024
"""Characters of a joined line that are kept: what is structured may be longer than what is shown of it."""


@dataclass(frozen=True)
class Whole:
    """A line from its first piece on. Everything before `done` has been given out by then."""

    at: Mark
    done: Mark
    time: datetime
    stream: Stream
    text: str


@dataclass
class Open:
    first: Piece
    since: float
    parts: list[str] = field(default_factory=list)
    size: int = 0

    def add(self, text: str) -> None:
        if self.size < LONG:
            self.parts.append(text[: LONG - self.size])
            self.size += len(text)


class Joiner:
    def __init__(self) -> None:
        self._open: dict[Stream, Open] = {}
        self._after = Mark(0, 0)

    def take(self, piece: Piece, now: float) -> Whole | None:
        """The whole line where this piece ends one. `now` is in seconds, only differences count."""
        self._after = piece.after
        open = self._open.get(piece.stream)
        if piece.ends and not open:
            return Whole(piece.at, self._done(), piece.time, piece.stream, piece.text)
        open = self._open.setdefault(piece.stream, Open(piece, now))
        open.add(piece.text)
        open.since = now
        return self._close(piece.stream) if piece.ends else None

    @property
    def open(self) -> bool:
        return bool(self._open)

    def overdue(self, before: float) -> list[Whole]:
        """Lines whose end has not come since then: given out as they are."""
        return [self._close(stream) for stream, open in list(self._open.items()) if open.since <= before]

    def _close(self, stream: Stream) -> Whole:
        open = self._open.pop(stream)
        return Whole(open.first.at, self._done(), open.first.time, stream, "".join(open.parts))

    def _done(self) -> Mark:
        """Who goes on from there misses nothing of a line that is still open."""
        return min((open.first.at for open in self._open.values()), key=lambda at: at.position, default=self._after)
