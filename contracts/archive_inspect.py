"""Judges a zip before a byte of it is extracted, and says every problem at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from contracts.archive_format import (
    ENCRYPTED,
    STREAMED,
    UTF8,
    Broken,
    Header,
    central_headers,
    check_descriptor,
    data_span,
    find_directory,
    read_at,
)
from contracts.archive_names import collisions, kind_fault, name_faults
from contracts.errors import Invalid, Problem

SHOWN = 100
MIB = 1 << 20
ZIP = "the zip"


@dataclass(frozen=True)
class ZipLimits:
    """Bytes of the zip, number of entries, bytes of one file and of all, packed to unpacked ratio above `ratio_from`
    bytes, folders deep."""

    size: int = 1 << 30
    entries: int = 10_000
    file: int = 1 << 30
    total: int = 4 << 30
    ratio: int = 100
    ratio_from: int = 16 * MIB
    depth: int = 32


LIMITS = ZipLimits()


@dataclass(frozen=True)
class Entry:
    """A file (or a folder, its name without the last slash): sizes in bytes, data at `begin` of the zip."""

    name: str
    folder: bool
    size: int
    packed: int
    crc: int
    deflated: bool
    executable: bool
    begin: int


@dataclass(frozen=True)
class Archive:
    """A sound zip. `files` are the names of its regular files, `total` their declared bytes."""

    entries: tuple[Entry, ...]
    files: frozenset[str]
    total: int
    file: BinaryIO = field(repr=False, compare=False)

    def entry(self, name: str) -> Entry | None:
        return next((one for one in self.entries if one.name == name and not one.folder), None)


def inspect(file: BinaryIO, limits: ZipLimits = ZipLimits()) -> Archive:
    """Judges a zip without extracting it; the file is seekable and stays open as long as the Archive is used.

    Raises Invalid with every problem (at most 100); a problem's path is the entry's name, or "the zip".
    """
    length = file.seek(0, 2)
    problems: list[Problem] = []
    entries: tuple[Entry, ...] = ()
    try:
        headers, end = _headers(file, length, limits)
        problems += _faults(headers, limits)
        entries, broken = _entries(file, headers, end)
        problems += broken
    except Broken as error:
        problems.append(problem_of(ZIP, error.rule, error.hint))
    if problems:
        said = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        raise Invalid(f"The zip has {said}.", problems[:SHOWN])
    files = frozenset(entry.name for entry in entries if not entry.folder)
    return Archive(entries, files, sum(entry.size for entry in entries), file)


def _headers(file: BinaryIO, length: int, limits: ZipLimits) -> tuple[list[Header], int]:
    if length > limits.size:
        rule = f"The zip has {length} bytes, and {limits.size} are allowed."
        raise Broken(rule, "Leave out what the app does not need.")
    where = find_directory(file, length)
    if where.count > limits.entries or where.size > limits.entries * 2048:
        rule = f"The zip has {where.count} entries, and {limits.entries} are allowed."
        raise Broken(rule, "Leave out installed packages and build results.")
    headers = list(central_headers(read_at(file, where.offset, where.size), where.count))
    if not headers:
        raise Broken("The zip is empty.", "Zip the contents of the app's folder.")
    return headers, where.offset


def _faults(headers: list[Header], limits: ZipLimits) -> Iterator[Problem]:
    """What the table alone shows."""
    for header in headers:
        name = header.name
        for rule, hint in name_faults(name, limits.depth):
            yield problem_of(name, rule, hint)
        if header.fault:
            yield problem_of(name, header.fault, "Make the zip with a tool that writes names in UTF-8.")
        if fault := kind_fault(name, header.mode):
            yield problem_of(name, *fault)
        if header.flags & ENCRYPTED or header.method == 99:
            yield problem_of(name, "The entry is encrypted.", "Make the zip without a password.")
        elif header.method not in (0, 8) or header.flags & ~(UTF8 | STREAMED | 0x6):
            rule = f"The entry is neither stored nor deflated (method {header.method}, flags {header.flags})."
            yield problem_of(name, rule, "Make the zip with an ordinary tool.")
        elif header.method == 0 and header.packed != header.size:
            yield problem_of(name, "The entry is stored and yet has two sizes.", "Make the zip again.")
        if name.endswith("/") and (header.size or header.packed > 2):
            yield problem_of(name, "The entry is a folder and has content.", "Make the zip again.")
        if header.size > limits.file:
            rule = f"The file has {header.size} bytes, and {limits.file} are allowed."
            yield problem_of(name, rule, "Leave it out.")
        if header.size > max(limits.ratio_from, header.packed * limits.ratio):
            rule = f"The file unpacks to over {limits.ratio} times its size: {header.packed} to {header.size} bytes."
            yield problem_of(name, rule, "Leave it out, or let the app make it.")
    total, packed = sum(header.size for header in headers), sum(header.packed for header in headers)
    if total > limits.total:
        rule = f"The zip unpacks to {total} bytes, and {limits.total} are allowed."
        yield problem_of(ZIP, rule, "Leave out what is big.")
    elif total > max(limits.ratio_from, packed * limits.ratio):
        rule = f"The zip unpacks to over {limits.ratio} times its size: {packed} to {total} bytes."
        yield problem_of(ZIP, rule, "Leave out what is mostly empty.")
    for name, (rule, hint) in collisions([header.name for header in headers]):
        yield problem_of(name, rule, hint)


def _entries(file: BinaryIO, headers: list[Header], end: int) -> tuple[tuple[Entry, ...], list[Problem]]:
    """The entries in the table's order, each held against its own header and its neighbours."""
    problems: list[Problem] = []
    entries: dict[int, Entry] = {}
    ordered = sorted(range(len(headers)), key=lambda index: headers[index].offset)
    if (first := headers[ordered[0]].offset) > 0:
        problems.append(problem_of(ZIP, f"{first} bytes stand before the first entry.", "Make the zip again."))
    for place, index in enumerate(ordered):
        header = headers[index]
        following = headers[ordered[place + 1]].offset if place + 1 < len(ordered) else end
        try:
            begin, stop = data_span(file, header)
            check_descriptor(file, header, stop, following - stop)
        except Broken as error:
            problems.append(problem_of(header.name, error.rule, error.hint))
            continue
        entries[index] = Entry(header.name.removesuffix("/"), header.name.endswith("/"), header.size, header.packed,
                               header.crc, header.method == 8, bool(header.mode & 0o111), begin)  # fmt: skip
    return tuple(entries[index] for index in sorted(entries)), problems


def problem_of(path: str, rule: str, hint: str) -> Problem:
    return Problem(path=path.encode("utf-8", "replace").decode(), rule=rule, hint=hint)
