"""The share of the processors that all containers together get beside the host's own processes."""

from __future__ import annotations

from pathlib import Path

SHARES = 16384
"""A process of the host has 1024. By default all containers together weigh no more than one such process."""
PARENT = Path("/sys/fs/cgroup/cpu/docker/cpu.shares")


def give(parent: Path = PARENT) -> bool:
    """Only where Docker keeps its containers below one cgroup of its own (cgroup v1, no systemd); False: nothing to do there."""
    if not parent.exists() or int(parent.read_text()) >= SHARES:
        return False
    parent.write_text(str(SHARES))
    return True
