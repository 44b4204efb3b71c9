"""Reads files out of a sound zip, counting real bytes, since what a zip declares is not what it holds."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import PurePosixPath

from contracts.archive_format import READ
from contracts.archive_inspect import Archive, Entry, problem_of
from contracts.errors import Invalid, Problem


def content(archive: Archive, entry: Entry) -> Iterator[bytes]:
    """The entry's bytes in pieces of at most 64 KiB, never more than declared; the end checks length and CRC.

    Raises Invalid, after the last good piece, where the bytes are not what was declared.
    """
    inflate = zlib.decompressobj(-15) if entry.deflated else None
    archive.file.seek(entry.begin)
    left, size, crc, waiting = entry.packed, 0, 0, b""
    while True:
        if not waiting and left:
            waiting = archive.file.read(min(READ, left))
            if not waiting:
                break
            left -= len(waiting)
        try:
            piece = inflate.decompress(waiting, READ) if inflate else waiting
        except zlib.error:
            break
        waiting = inflate.unconsumed_tail if inflate else b""
        size, crc = size + len(piece), zlib.crc32(piece, crc)
        if size > entry.size:
            break
        if piece:
            yield piece
        elif not waiting and not left:
            break
        if inflate and inflate.eof:
            break
    whole = not left and not waiting and (inflate is None or (inflate.eof and not inflate.unused_data))
    if not whole or size != entry.size or crc != entry.crc:
        problem = problem_of(entry.name, "The file's bytes are not what the zip declares.", "Make the zip again.")
        raise Invalid("The zip is damaged.", [problem])


def read_text(archive: Archive, name: str, most: int = 256 * 1024) -> str:
    """The text of a file of at most that many bytes. Raises Invalid: not there, too big, not UTF-8, damaged."""
    entry = archive.entry(name)
    if entry is None:
        raise Invalid(f"The zip holds no {name} at its root.", [_missing(archive, name)])
    if entry.size > most:
        rule = f"{name} has {entry.size} bytes, and {most} are allowed."
        raise Invalid(rule, [problem_of(name, rule, "Keep data in files of its own.")])
    data = b"".join(content(archive, entry))
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        problem = Problem(path=name, line=line, rule=f"Line {line} of {name} is not UTF-8.", hint="Save it as UTF-8.")
        raise Invalid(f"{name} is not UTF-8.", [problem]) from None


def _missing(archive: Archive, name: str) -> Problem:
    """Says where the file is, since people zip a folder, or write .yaml."""
    near = sorted((one for one in archive.files if one.endswith(f"/{name}") and one[:9] != "__MACOSX/"), key=len)
    stem, _, suffix = name.rpartition(".")
    others = {f"{stem}.yaml", f"{stem}.yml"} if suffix in ("yml", "yaml") else set()
    alike = next((one for one in sorted(archive.files) if one.lower() in {name, *others}), None)
    if near:
        hint = f"{name} is in {PurePosixPath(near[0]).parent}/; zip the folder's contents, not the folder."
    elif alike:
        hint = f"There is {alike}; rename it to {name}."
    else:
        hint = f"Add {name}; `berth init` writes one."
    return problem_of(name, f"The zip holds no {name} at its root.", hint)
