"""The port in front of what containers of this node print: found once, read from a mark on, lost only where that is said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple, Protocol

Stream = Literal["out", "err"]


class Mark(NamedTuple):
    """A place in what one container printed. `file` names the file for ever and grows from file to file by more than the
    file is long, so that file + offset is one number that grows: the position."""

    file: int
    offset: int

    @property
    def position(self) -> int:
        return self.file + self.offset


@dataclass(frozen=True)
class Printer:
    """A container of this node. `task` is Swarm's id, "" of a plain container; `ended`: it prints nothing any more."""

    id: str
    name: str
    labels: Mapping[str, str]
    task: str = ""
    ended: bool = False


@dataclass(frozen=True, slots=True)
class Piece:
    """A line, or a part of a long one: `ends` is False where the next piece of the same stream goes on with it.

    `at` is where it stands, `after` where the next one does. A `gap` is no line: it stands for `lost` bytes that were there
    and were taken away unread; without `exact` for at least so many.
    """

    at: Mark
    after: Mark
    time: datetime
    stream: Stream
    text: str
    ends: bool = True
    lost: int = 0
    exact: bool = True

    @property
    def gap(self) -> bool:
        return self.lost > 0 or not self.exact


class Tail(Protocol):
    """What one container prints, from a mark on; used by one thread.

    Whatever was printed before the container was removed can still be read. The same place gives the same piece again,
    in this process and in the next.
    """

    def read(self, most: int) -> list[Piece]:
        """What is there, about `most` bytes of it; [] where nothing new is. Cheap to ask. Unavailable: not readable now."""

    def look(self) -> None:
        """Takes note of what is new without reading it, so that it can be read though it is taken away meanwhile."""

    def back(self, mark: Mark | None) -> None:
        """The next read begins there (None: at the beginning of what there is). It must not be before what was let go."""

    def let_go(self, mark: Mark) -> None:
        """What lies before the mark is not asked for again."""

    def close(self) -> None: ...


class Printed(Protocol):
    def printers(self, labels: Mapping[str, str]) -> list[Printer]:
        """The containers of this node with all these labels ("" stands for any value) that have begun, the ended ones too. Unavailable."""

    def follow(self, printer: Printer, mark: Mark | None) -> Tail | None:
        """From the mark on, else from the beginning. None: it was removed meanwhile, or Docker keeps nothing of it.

        Unavailable: it is there and cannot be read.
        """


@dataclass(frozen=True)
class Spoken:
    """What a twin's container printed once."""

    time: datetime
    text: str
    stream: Stream = "out"
    ends: bool = True
