"""Files that are whole or absent, and names made from the hash of what shapes a thing."""

from __future__ import annotations

import fcntl
import hashlib
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

SKIPPED = ("__pycache__",)


def write(path: Path, content: str | bytes, mode: int = 0o644, owner: int | None = None) -> None:
    """All or nothing: written aside, then renamed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f"{path.name}.{os.getpid()}.{threading.get_ident()}.new")
    new.touch(0o600)
    new.write_bytes(content if isinstance(content, bytes) else content.encode())
    if owner is not None:
        os.chown(new, owner, owner)
    new.chmod(mode)
    new.rename(path)


def once(path: Path, make: Callable[[], str | bytes], mode: int = 0o600) -> str:
    """What the file holds; made at the first call and never again."""
    if not path.exists():
        write(path, make(), mode)
    return path.read_text()


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """One process at a time; the lock dies with its holder and no child inherits it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def leaves(folder: Path) -> list[Path]:
    """Every file below, in one order, without what Python leaves behind."""
    return sorted(
        p for p in folder.rglob("*") if p.is_file() and p.suffix != ".pyc" and not any(s in p.parts for s in SKIPPED)
    )


def digest(*things: object) -> str:
    """Twelve hex digits of texts, and of files and folders with names and content."""
    sha = hashlib.sha256()
    for thing in things:
        if not isinstance(thing, Path):
            sha.update(f"{thing}\0".encode())
            continue
        for leaf in leaves(thing) if thing.is_dir() else [thing]:
            name = leaf.relative_to(thing) if thing.is_dir() else leaf.name
            sha.update(f"{name}\0".encode() + leaf.read_bytes() + b"\0")
    return sha.hexdigest()[:12]
