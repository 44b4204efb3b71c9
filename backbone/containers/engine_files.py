"""One container's lines as Docker's json-file driver writes them down: followed over rotations, by what stands in the files."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from backbone.containers.printed import Mark, Piece
from contracts.errors import Unavailable

FIRST = 1 << 17
"""Bytes in which a file's first line ends: Docker cuts at 16 KiB, and a character takes up to six."""
KEPT = 8
"""Files that are held open unread; of more the oldest is let go, and that is said. Docker itself keeps fewer."""
ROTATED = 12
"""So many older files are looked for."""
NAMELESS = 1
NOTHING = (0, True)
TIME = re.compile(rb'"time":"([0-9:T-]+)(?:\.([0-9]+))?Z"\}\s*$')
SECOND = 10**9


@dataclass
class Held:
    """An open file. `name` is the nanosecond of its first line, 0 while it has none; `size` its end as last seen.

    `apart`: there may have been others between it and the one before.
    """

    fd: int
    inode: int
    name: int = 0
    size: int = 0
    apart: bool = False

    def look(self, size: int = -1) -> None:
        self.size = size if size >= 0 else os.fstat(self.fd).st_size
        if not self.name and self.size:
            first, end, _ = os.pread(self.fd, FIRST, 0).partition(b"\n")
            self.name = nanoseconds(first) if end else 0


class FileTail:
    """`path` is the file Docker writes to; path.1, path.2 … are older. A container's files are open as long as they are unread."""

    def __init__(self, path: str, mark: Mark | None) -> None:
        self._path = path
        self._files: list[Held] = []
        self._dropped: list[Held] = []
        self._at, self._offset = 0, 0
        self._missed: tuple[int, bool] = NOTHING
        self.look()
        if not self._files:
            raise FileNotFoundError(path)
        self.back(mark)

    def read(self, most: int) -> list[Piece]:
        self.look()
        while True:
            held, last = self._files[self._at], self._at == len(self._files) - 1
            if not last and held.size and not held.name:
                held.name = NAMELESS
            if held.name and self._offset < held.size:
                if pieces := self._pieces(held, most, last):
                    return pieces
            elif held.size < self._offset:  # emptied by hand: it is another file now
                held.name, self._offset = 0, 0
                held.look()
                continue
            if last:
                return []
            self._at, self._offset = self._at + 1, 0
            if self._files[self._at].apart:
                self._missed = (self._missed[0], False)

    def back(self, mark: Mark | None) -> None:
        """Where the marked file is gone, what it and those after it held is missed."""
        self._missed = NOTHING
        if mark is None:
            self._at, self._offset = 0, 0
            return
        for n, held in enumerate(self._files):
            if held.name == mark.file:
                self._at, self._offset = n, mark.offset
                return
        self._at = next((n for n, held in enumerate(self._files) if not held.name or held.name > mark.file), len(self._files) - 1)
        self._offset = 0
        gone = [d for d in self._dropped if d.name >= mark.file]
        if gone and gone[0].name == mark.file:
            self._missed = (sum(d.size for d in gone) - mark.offset, True)
        else:
            self._missed = (max(0, self._files[0].size - mark.offset), False)

    def let_go(self, mark: Mark) -> None:
        done = next((n for n, held in enumerate(self._files) if held.name == mark.file), 0)
        for _ in range(min(done, self._at)):
            os.close(self._files.pop(0).fd)
            self._at -= 1
        self._dropped = [d for d in self._dropped if d.name >= mark.file] if not done else []

    def close(self) -> None:
        for held in self._files:
            os.close(held.fd)
        self._files = []

    def look(self) -> None:
        """Where another file stands in the path, all that came after the newest one we hold is opened; oldest first."""
        newest = self._files[-1] if self._files else None
        try:
            there = os.stat(self._path)
        except FileNotFoundError:  # removed, or between two steps of a rotation
            there = None
        if newest is None or (there and there.st_ino != newest.inode):
            self._open_new(newest)
        elif there and (there.st_size != newest.size or not newest.name):
            newest.look(there.st_size)
        elif not there:
            newest.look()
        while len(self._files) > KEPT:
            self._drop()

    def _open_new(self, newest: Held | None) -> None:
        """By inode: one that is held open is given to no other file."""
        found: list[Held] = []
        known = False
        for path in self._paths():
            try:
                fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            except FileNotFoundError:
                continue
            except OSError as error:
                raise Unavailable(f"What a container printed cannot be read: {error}; the agent needs root's group") from error
            held = Held(fd, os.fstat(fd).st_ino)
            known = newest is not None and held.inode == newest.inode
            if known or held.inode in {f.inode for f in found}:
                os.close(fd)
                if known:
                    break
                continue
            held.look()
            found.append(held)
        if newest and found:
            newest.look()
            found[-1].apart = not known
        self._files += reversed(found)

    def _paths(self) -> Iterator[str]:
        yield self._path
        for n in range(1, ROTATED):
            yield f"{self._path}.{n}"

    def _drop(self) -> None:
        oldest = self._files[0]
        here = Mark(oldest.name, self._offset) if self._at == 0 else None
        oldest.look()
        os.close(self._files.pop(0).fd)
        self._dropped.append(oldest)
        self._at = max(0, self._at - 1)
        if here:
            lost, exact = self._missed
            self.back(here)
            self._missed = (lost + self._missed[0], exact and self._missed[1])

    def _pieces(self, held: Held, most: int, last: bool) -> list[Piece]:
        """Whole lines; the last one of a file that was rotated away may lack its end."""
        raw = os.pread(held.fd, most, self._offset)
        cut = raw.rfind(b"\n") + 1
        if not cut:
            raw = os.pread(held.fd, most := max(most, FIRST), self._offset)
            whole = len(raw) == most or (not last and self._offset + len(raw) >= held.size)
            cut = raw.rfind(b"\n") + 1 or (len(raw) if whole else 0)
        pieces: list[Piece] = []
        begin = 0
        while begin < cut:
            end = raw.find(b"\n", begin, cut) + 1 or cut
            at = Mark(held.name, self._offset)
            self._offset += end - begin
            piece = piece_of(raw[begin:end], at, Mark(held.name, self._offset))
            if self._missed != NOTHING:
                pieces.append(self._gap(piece))
            pieces.append(piece)
            begin = end
        return pieces

    def _gap(self, then: Piece) -> Piece:
        """Just before the first line that is there again, whoever reads it."""
        (lost, exact), self._missed = self._missed, NOTHING
        at = Mark(then.at.file, then.at.offset - 1)
        return Piece(at, then.at, then.time, "err", "", True, lost, exact)


def piece_of(line: bytes, at: Mark, after: Mark) -> Piece:
    """What is not Docker's own form (a power cut leaves such) passes as it stands."""
    for begin in (0, line.rfind(b'{"log":"')):
        try:
            entry = json.loads(line[max(begin, 0) :])
            text, ends = entry["log"], entry["log"].endswith("\n")
            stream = "err" if entry.get("stream") == "stderr" else "out"
            return Piece(at, after, datetime.fromisoformat(entry["time"]), stream, text[:-1] if ends else text, ends)  # type: ignore[arg-type]
        except (ValueError, KeyError, TypeError, AttributeError):
            continue
    moment = datetime.fromtimestamp(at.file // SECOND, UTC)
    return Piece(at, after, moment, "err", line.replace(b"\0", b"").decode("utf-8", "replace").rstrip("\n"))


def nanoseconds(line: bytes) -> int:
    """Of a line's time, since 1970; NAMELESS where there is none to be read."""
    found = TIME.search(line)
    if not found:
        return NAMELESS
    try:
        moment = datetime.fromisoformat(f"{found[1].decode()}Z")
    except ValueError:
        return NAMELESS
    return int(moment.timestamp()) * SECOND + int((found[2] or b"0").ljust(9, b"0")[:9])
