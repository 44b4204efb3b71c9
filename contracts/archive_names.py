"""Which names a zip's entries may have: one file on every system, and none outside the app's folder."""

from __future__ import annotations

import re
import stat
import unicodedata
from collections.abc import Iterator, Sequence

Reason = tuple[str, str]  # the rule that is broken, and what to do

PART_BYTES, NAME_BYTES = 255, 1024
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def name_faults(name: str, depth: int) -> Iterator[Reason]:
    """Every rule that the name breaks by itself."""
    shown = shortened(name)
    parts = name.removesuffix("/").split("/")
    if not name:
        yield "An entry has no name.", "Make the zip again, with an ordinary tool."
        return
    if _CONTROL.search(name):
        yield f"The name '{shown}' holds a control character.", "Rename the file."
    if "\\" in name:
        yield f"The name '{shown}' holds a backslash.", "Use a tool that writes / between folders."
    if name.startswith("/") or re.match(r"[A-Za-z]:", name):
        yield f"The name '{shown}' begins at a root or a drive.", "Zip from within the folder."
    if ".." in parts:
        yield f"The name '{shown}' leads out of the folder by '..'.", "Zip from within the folder."
    if "." in parts or "" in parts[1:]:
        yield f"The name '{shown}' holds an empty part or '.'.", "Zip from within the folder."
    if unicodedata.normalize("NFC", name) != name:
        yield f"The name '{shown}' is not in composed letters (NFC).", "Upload by `berth push`, or rename it."
    if len(parts) > depth:
        yield f"The name '{shown}' lies {len(parts)} folders deep, and {depth} are allowed.", "Flatten the folders."
    if len(name.encode()) > NAME_BYTES or any(len(part.encode()) > PART_BYTES for part in parts):
        yield f"The name '{shown}' is longer than {PART_BYTES} bytes a part or {NAME_BYTES} in all.", "Shorten it."


def kind_fault(name: str, mode: int) -> Reason | None:
    """Only regular files and directories; the mode is Unix's, 0 where none is said."""
    kind = stat.S_IFMT(mode)
    if kind == stat.S_IFLNK:
        return f"'{shortened(name)}' is a symbolic link.", "Put the file itself into the zip."
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        return f"'{shortened(name)}' is neither a file nor a folder.", "Leave it out of the zip."
    if kind and (kind == stat.S_IFDIR) != name.endswith("/"):
        return f"'{shortened(name)}' is a file by its name or by its mode, and not by both.", "Make the zip again."
    return None


def folded(name: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def collisions(names: Sequence[str]) -> Iterator[tuple[str, Reason]]:
    """Names that would be one file on some system, and files that are a folder of others; folders count too."""
    spelt: dict[str, str] = {}
    files = {name for name in names if not name.endswith("/")}
    seen: set[str] = set()
    for name in names:
        if name in seen:
            yield name, (f"'{shortened(name)}' is in the zip twice.", "Keep one of the two.")
            continue
        seen.add(name)
        parts = name.removesuffix("/").split("/")
        for length in range(1, len(parts) + 1):
            path = "/".join(parts[:length])
            other = spelt.setdefault(folded(path), path)
            if other != path:
                rule = f"'{shortened(path)}' and '{shortened(other)}' are one name where case does not count."
                yield name, (rule, "Rename one of them.")
                break
            if path in files and path != name:
                yield name, (f"'{shortened(path)}' is a file and a folder at once.", "Rename one of them.")
                break


def shortened(name: str) -> str:
    """A name as it may stand in a sentence: nothing invisible, at most 80 characters."""
    plain = "".join(letter if letter.isprintable() else "?" for letter in name)
    return plain if len(plain) <= 80 else plain[:79] + "…"
