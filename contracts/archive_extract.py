"""Unpacks a sound zip, counting real bytes and writing only below the folder it is given."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from contracts.archive_inspect import LIMITS, Archive, Entry, ZipLimits, inspect
from contracts.archive_read import content
from contracts.errors import Invalid, Problem


def extract(path: Path, into: Path, limits: ZipLimits = LIMITS) -> Archive:
    """Judges the zip at `path` and unpacks it into a folder that is made, or empty; files get mode 644, or 755.

    Raises Invalid with every damaged file, and then leaves nothing behind; FileExistsError where `into` is not empty.
    """
    with path.open("rb") as file:
        archive = inspect(file, limits)
        made = not into.exists()
        into.mkdir(parents=True, exist_ok=True)
        if any(into.iterdir()):
            raise FileExistsError(f"{into} is not empty.")
        problems: list[Problem] = []
        for entry in archive.entries:
            try:
                _write(archive, entry, into)
            except Invalid as error:
                problems += error.problems
        if problems:
            _clear(into, made)
            raise Invalid("The zip is damaged.", problems)
        return archive


def _write(archive: Archive, entry: Entry, into: Path) -> None:
    target = into / entry.name
    if entry.folder:
        target.mkdir(parents=True, exist_ok=True)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
    with os.fdopen(os.open(target, flags, 0o755 if entry.executable else 0o644), "wb") as out:
        for piece in content(archive, entry):
            out.write(piece)


def _clear(into: Path, made: bool) -> None:
    if made:
        shutil.rmtree(into)
        return
    for child in into.iterdir():
        shutil.rmtree(child) if child.is_dir() else child.unlink()
