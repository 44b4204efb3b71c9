"""What the kernel's control groups say of containers: version 1 and 2, read as files, so that a second costs no call to Docker."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

from node_manager.model_figures import Look

CONTAINER = re.compile(r"(?:^|[-/])([0-9a-f]{64})(?:\.scope)?$")
DEPTH = 6
WHOLE = 1 << 16
"""Bytes that hold any of these files, which the kernel makes anew for each reading."""
UNLIMITED = 1 << 60
"""Version 1 writes a number near 2**63 where there is no limit."""


class Groups:
    """`root` is /sys/fs/cgroup of the host. A container's folder is looked for once, wherever its Docker's driver put it."""

    def __init__(self, root: Path) -> None:
        self._root, self._two = root, (root / "cgroup.controllers").exists()
        self._folders: dict[str, str] = {}
        self._limits: dict[str, int | None] = {}

    def know(self, containers: Iterable[str]) -> None:
        """The containers to be looked at from now on. One that has no folder yet is looked for again the next time."""
        wanted = set(containers)
        self._folders = {id: path for id, path in self._folders.items() if id in wanted}
        self._limits = {id: limit for id, limit in self._limits.items() if id in wanted}
        if wanted - self._folders.keys():
            top = self._root if self._two else self._root / "cpuacct"
            self._folders |= {id: path for id, path in found(top).items() if id in wanted}

    def look(self, container: str, at: float) -> Look | None:
        """None: it is not there (any more)."""
        folder = self._folders.get(container)
        if folder is None:
            return None
        try:
            return self._second(container, folder, at) if self._two else self._first(container, folder, at)
        except (OSError, ValueError):
            return None

    def _second(self, id: str, folder: str, at: float) -> Look:
        own = f"{self._root}/{folder}"
        cpu = word_of(_read(f"{own}/cpu.stat"), "usage_usec") / 1e6
        memory = int(_read(f"{own}/memory.current")) - word_of(_read(f"{own}/memory.stat"), "inactive_file")
        return Look(at, cpu, max(0, memory), self._limit(id, f"{own}/memory.max"))

    def _first(self, id: str, folder: str, at: float) -> Look:
        own = f"{self._root}/memory/{folder}"
        cpu = int(_read(f"{self._root}/cpuacct/{folder}/cpuacct.usage")) / 1e9
        memory = int(_read(f"{own}/memory.usage_in_bytes")) - word_of(_read(f"{own}/memory.stat"), "total_inactive_file")
        return Look(at, cpu, max(0, memory), self._limit(id, f"{own}/memory.limit_in_bytes"))

    def _limit(self, id: str, path: str) -> int | None:
        """Asked once: the platform changes no container's limit."""
        if id not in self._limits:
            self._limits[id] = limit_of(_read(path))
        return self._limits[id]


def found(top: Path) -> dict[str, str]:
    """Container -> its folder below `top`: docker/<id>, system.slice/docker-<id>.scope, or deeper where Docker runs inside another."""
    folders: dict[str, str] = {}
    waiting = [("", 0)]
    while waiting:
        path, depth = waiting.pop()
        try:
            inside = [one.name for one in os.scandir(top / path) if one.is_dir(follow_symlinks=False)]
        except OSError:
            continue  # it ended while it was looked at
        for name in inside:
            below = f"{path}/{name}" if path else name
            if named := CONTAINER.search(name):
                folders[named[1]] = below
            elif depth < DEPTH:
                waiting.append((below, depth + 1))
    return folders


def word_of(text: str, name: str) -> int:
    """The number beside a name in a file of `name number` lines. ValueError: there is none."""
    _, there, rest = f"\n{text}".partition(f"\n{name} ")
    if not there:
        raise ValueError(f"no {name} in it")
    return int(rest.partition("\n")[0])


def limit_of(text: str) -> int | None:
    word = text.strip()
    return None if word == "max" or int(word) >= UNLIMITED else int(word)


def _read(path: str) -> str:
    """Without Python's layers for files, which cost several times what is in these: sixty are read each second."""
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(file, WHOLE).decode("ascii")
    finally:
        os.close(file)
