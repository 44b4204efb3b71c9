"""Reads a zip's own tables by hand, because zipfile forgives what lets two readers see two different archives.

Source: PKWARE APPNOTE.TXT 6.3.10, sections 4.3 (records), 4.4 (fields), 4.5.3 (zip64). Accepted is one contiguous file:
entries from the first byte on without gaps, the central directory, the end records, a comment at most.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

END, CENTRAL, LOCAL, DESCRIPTOR, END64, LOCATOR = b"PK\5\6", b"PK\1\2", b"PK\3\4", b"PK\7\x08", b"PK\6\6", b"PK\6\7"
_END = struct.Struct("<4s4H2LH")
_LOCATOR = struct.Struct("<4sLQL")
_END64 = struct.Struct("<4sQ2H2L4Q")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
FULL16, FULL32 = 0xFFFF, 0xFFFFFFFF
UTF8, STREAMED, ENCRYPTED = 0x800, 0x8, 0x1 | 0x40 | 0x2000
READ = 1 << 16


class Broken(Exception):
    """The zip or one entry does not follow the format; says why in a sentence, and what to do."""

    def __init__(self, rule: str, hint: str = "Make the zip again, with an ordinary tool.") -> None:
        super().__init__(rule)
        self.rule, self.hint = rule, hint


@dataclass(frozen=True)
class Directory:
    """Where the central directory lies: its first byte, its length, how many entries it says it has."""

    offset: int
    size: int
    count: int


@dataclass(frozen=True)
class Header:
    """One entry as the central directory has it; offset is its local header's first byte, mode the Unix mode or 0."""

    raw: bytes
    name: str
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    offset: int
    mode: int
    fault: str = ""


def read_at(file: BinaryIO, offset: int, size: int) -> bytes:
    """Exactly that many bytes from there, or Broken."""
    if offset >> 62:
        raise Broken("The zip's tables point far beyond its end.")
    file.seek(offset)
    data = file.read(size)
    if len(data) != size:
        raise Broken("The zip ends before its tables do.")
    return data


def find_directory(file: BinaryIO, length: int) -> Directory:
    """Finds the one central directory of a file of that length. Raises Broken."""
    if length < _END.size:
        raise Broken("This is not a zip.", "Upload a .zip of the app's folder.")
    start = max(0, length - _END.size - FULL16)
    tail = read_at(file, start, length - start)
    at = tail.rfind(END)
    if at < 0:
        raise Broken("This is not a zip, or its end is missing.", "Upload the whole .zip of the app's folder.")
    if at + _END.size > len(tail):
        raise Broken("The zip ends within its last record.", "Upload it again, whole.")
    _, disk, first_disk, here, count, size, offset, comment = _END.unpack_from(tail, at)
    end = start + at
    if end + _END.size + comment != length:
        extra = length - end - _END.size - comment
        raise Broken(f"{abs(extra)} bytes {'follow the end of the zip' if extra > 0 else 'are missing at its end'}.")
    before = end
    if end >= _LOCATOR.size and (raw := read_at(file, end - _LOCATOR.size, _LOCATOR.size)).startswith(LOCATOR):
        before, wide = _wide_end(file, raw, end - _LOCATOR.size)
        narrow, full = (here, count, size, offset), (FULL16, FULL16, FULL32, FULL32)
        values = (wide.count, wide.count, wide.size, wide.offset)
        for said, value, none in zip(narrow, values, full, strict=True):
            if said not in (none, value):
                raise Broken("The zip's two end records contradict each other.")
        count, here, size, offset = wide.count, wide.count, wide.size, wide.offset
    elif FULL16 in (here, count) or FULL32 in (size, offset):
        raise Broken("The zip's end refers to a zip64 record that is not there.")
    if disk or first_disk or here != count:
        raise Broken("The zip is in several parts.", "Make one file of it.")
    if offset + size != before:
        extra = before - offset - size
        few = "many" if extra > 0 else "few"
        raise Broken(f"{abs(extra)} bytes too {few} lie between the zip's table and its end.")
    return Directory(offset, size, count)


def _wide_end(file: BinaryIO, locator: bytes, at: int) -> tuple[int, Directory]:
    _, disk, offset, disks = _LOCATOR.unpack(locator)
    if offset + _END64.size != at or disk or disks > 1:
        raise Broken("The zip64 end record is not where it is said to be.")
    raw = _END64.unpack(read_at(file, offset, _END64.size))
    signature, size, _, _, number, first, here, count, length, start = raw
    if signature != END64 or size != _END64.size - 12 or number or first or here != count:
        raise Broken("The zip64 end record is not a right one.")
    return offset, Directory(start, length, count)


def central_headers(data: bytes, count: int) -> Iterator[Header]:
    """The entries of the central directory's bytes. Raises Broken where they cannot be told apart."""
    at = 0
    for _ in range(count):
        if at + _CENTRAL.size > len(data) or data[at : at + 4] != CENTRAL:
            raise Broken(f"The zip's table says {count} entries and has fewer.")
        fields = _CENTRAL.unpack_from(data, at)
        _, _, _, flags, method, _, _, crc, packed, size, name, extra, comment, disk, _, outside, offset = fields
        at += _CENTRAL.size
        raw = data[at : at + name]
        more = extras(data[at + name : at + name + extra])
        at += name + extra + comment
        if at > len(data):
            raise Broken("The zip's table ends within an entry.")
        size, packed, offset, disk = _wide(more, (size, packed, offset), disk)
        if disk:
            raise Broken("The zip is in several parts.", "Make one file of it.")
        decoded, fault = _decoded(raw, more)
        yield Header(raw, decoded, flags, method, crc, packed, size, offset, outside >> 16, fault)
    if at != len(data):
        raise Broken(f"The zip's table has {len(data) - at} bytes more than its {count} entries.")


def _decoded(raw: bytes, more: dict[int, bytes]) -> tuple[str, str]:
    """The name as UTF-8, with or without its flag (macOS sets none), and what is wrong with it, or nothing."""
    try:
        name = raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("cp437"), "The entry's name is not UTF-8."
    second = more.get(0x7075)
    return name, "" if second is None or second[5:] == raw else "The entry has a second, different name."


def extras(data: bytes) -> dict[int, bytes]:
    """The extra fields by their number. Raises Broken for one that does not end or stands twice."""
    found: dict[int, bytes] = {}
    at = 0
    while at + 4 <= len(data):
        number, size = struct.unpack_from("<2H", data, at)
        if at + 4 + size > len(data) or (number in found and number in (0x0001, 0x7075)):
            raise Broken("An entry's extra field does not end, or stands twice.")
        found[number] = data[at + 4 : at + 4 + size]
        at += 4 + size
    return found


def _wide(more: dict[int, bytes], sizes: tuple[int, int, int], disk: int) -> tuple[int, int, int, int]:
    wanted = [value == FULL32 for value in sizes]
    data = more.get(0x0001, b"")
    need = 8 * sum(wanted) + (4 if disk == FULL16 else 0)
    if len(data) != need:
        raise Broken("An entry's zip64 field does not fit its sizes.")
    words = iter(struct.unpack_from(f"<{sum(wanted)}Q", data))
    size, packed, offset = (next(words) if wide else value for wide, value in zip(wanted, sizes, strict=True))
    return size, packed, offset, struct.unpack("<L", data[-4:])[0] if disk == FULL16 else disk


def data_span(file: BinaryIO, header: Header) -> tuple[int, int]:
    """Where the entry's packed bytes begin and end. Raises Broken where its own header contradicts the table."""
    raw = read_at(file, header.offset, _LOCAL.size)
    signature, _, flags, method, _, _, crc, packed, size, name, extra = _LOCAL.unpack(raw)
    if signature != LOCAL:
        raise Broken("No entry begins where the table says.")
    rest = read_at(file, header.offset + _LOCAL.size, name + extra)
    wide = extras(rest[name:]).get(0x0001, b"")
    if wide and len(wide) >= 16:
        size, packed = (
            value if narrow == FULL32 else narrow
            for value, narrow in zip(struct.unpack_from("<2Q", wide), (size, packed), strict=True)
        )
    late = bool(header.flags & STREAMED)
    same = all(
        there == here or (late and there == 0)
        for there, here in ((crc, header.crc), (packed, header.packed), (size, header.size))
    )
    if rest[:name] != header.raw or (flags, method) != (header.flags, header.method) or not same:
        raise Broken("The entry's own header and the zip's table contradict each other.")
    begin = header.offset + _LOCAL.size + name + extra
    return begin, begin + header.packed


def check_descriptor(file: BinaryIO, header: Header, at: int, size: int) -> None:
    """What may lie between an entry's data and the next entry: its data descriptor, or nothing. Raises Broken."""
    if size == 0 and not header.flags & STREAMED:
        return
    if size < 0:
        raise Broken("The entry overlaps the one after it.")
    if header.flags & STREAMED and size == 0:
        raise Broken("The entry's data descriptor is missing.")
    if not header.flags & STREAMED or size not in (12, 16, 20, 24):
        raise Broken(f"{size} bytes after the entry belong to none.")
    raw = read_at(file, at, size)
    if size in (16, 24):
        if not raw.startswith(DESCRIPTOR):
            raise Broken("The entry's data descriptor is not a right one.")
        raw = raw[4:]
    form = "<3L" if size in (12, 16) else "<L2Q"
    if struct.unpack(form, raw) != (header.crc, header.packed, header.size):
        raise Broken("The entry's data descriptor and the zip's table contradict each other.")
