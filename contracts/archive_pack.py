"""Makes the zip of a folder, the same bytes for the same files, so that an unchanged app is the same release."""

from __future__ import annotations

import os
import stat
import unicodedata
import zipfile
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import BinaryIO

from contracts.archive_format import READ
from contracts.errors import Invalid, Problem

IGNORE_FILE = ".berthignore"
SKIPPED = (".git", "__pycache__", ".venv", "node_modules", IGNORE_FILE)


def pack(folder: Path, into: BinaryIO) -> None:
    """Writes the zip: names sorted and composed (NFC), times 1980, modes 644 or 755, deflated.

    Left out are .git, __pycache__, .venv, node_modules and what a line of .berthignore matches (by name or by path from
    the folder; a trailing / means folders only; # begins a comment). Raises Invalid for links and special files.
    """
    ignored = _patterns(folder / IGNORE_FILE)
    found = sorted(_files(folder, "", ignored))
    odd = [(name, "symbolic link" if path.is_symlink() else "special file") for name, path in found if not _plain(path)]
    if odd:
        hint = f"Put the file itself there, or write its name into {IGNORE_FILE}."
        raise Invalid("The folder cannot be packed.", [
            Problem(path=name, rule=f"'{name}' is a {kind}.", hint=hint) for name, kind in odd
        ])  # fmt: skip
    with zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as out:
        for name, path in found:
            _add(out, name, path)


def _add(out: zipfile.ZipFile, name: str, path: Path) -> None:
    info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    status = path.stat()
    info.create_system, info.compress_type, info.file_size = 3, zipfile.ZIP_DEFLATED, status.st_size
    info.external_attr = (stat.S_IFREG | (0o755 if status.st_mode & 0o111 else 0o644)) << 16
    with path.open("rb") as source, out.open(info, "w") as target:
        while piece := source.read(READ):
            target.write(piece)


def _plain(path: Path) -> bool:
    return stat.S_ISREG(path.lstat().st_mode)


def _patterns(file: Path) -> tuple[str, ...]:
    lines = file.read_text("utf-8").splitlines() if file.is_file() else []
    return tuple(line.strip() for line in lines if line.strip() and not line.strip().startswith("#"))


def _files(folder: Path, prefix: str, ignored: tuple[str, ...]) -> Iterator[tuple[str, Path]]:
    for item in os.scandir(folder):
        name = unicodedata.normalize("NFC", prefix + item.name)
        is_folder = item.is_dir(follow_symlinks=False)
        if item.name in SKIPPED or any(_matches(pattern, name, is_folder) for pattern in ignored):
            continue
        if is_folder:
            yield from _files(Path(item.path), f"{name}/", ignored)
        else:
            yield name, Path(item.path)


def _matches(pattern: str, name: str, is_folder: bool) -> bool:
    if pattern.endswith("/"):
        if not is_folder:
            return False
        pattern = pattern.rstrip("/")
    pattern = pattern.lstrip("/") if pattern.startswith("/") else pattern
    return fnmatchcase(name, pattern) or fnmatchcase(name.rsplit("/", 1)[-1], pattern)
