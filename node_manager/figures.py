"""This node and its containers as psutil and the control groups see them: the one file of the platform that imports psutil."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import psutil

from backbone.clock import Clock
from node_manager.cgroups import Groups
from node_manager.model_figures import Look, NodeLook, traffic


class Gauge(Protocol):
    """Counters of one node, each with the moment it was read at."""

    def node(self) -> NodeLook: ...

    def know(self, containers: Sequence[str]) -> None:
        """The containers (ids) that `containers` looks at from now on; cheap where nothing changed, else a walk over folders."""

    def containers(self) -> dict[str, Look]:
        """Of those that are known and there: a few files each, never a call to Docker."""


class HostGauge:
    """`proc` and `root` are where the node's own /proc and / are seen from here."""

    def __init__(self, clock: Clock, proc: str, root: str) -> None:
        psutil.PROCFS_PATH = proc
        self._clock, self._root = clock, root
        self._traffic = Path(proc, "1/net/dev")  # of process 1, since the agent itself lives in a network of its own
        self._groups = Groups(Path(root, "sys/fs/cgroup"))
        self._known: tuple[str, ...] = ()

    def node(self) -> NodeLook:
        times, memory = psutil.cpu_times(), psutil.virtual_memory()
        idle = times.idle + getattr(times, "iowait", 0.0)
        total = sum(times) - getattr(times, "guest", 0.0) - getattr(times, "guest_nice", 0.0)  # guests stand in user too
        received, sent = traffic(self._traffic.read_text())
        disk_used, disk_total = self._disk()
        return NodeLook(
            self._clock.monotonic(), total - idle, total, memory.total - memory.available, memory.total, os.getloadavg()[0],
            received, sent, disk_used, disk_total,
        )  # fmt: skip

    def know(self, containers: Sequence[str]) -> None:
        self._known = tuple(containers)
        self._groups.know(containers)

    def containers(self) -> dict[str, Look]:
        looked = ((id, self._groups.look(id, self._clock.monotonic())) for id in self._known)
        return {id: look for id, look in looked if look is not None}

    def _disk(self) -> tuple[int | None, int | None]:
        """As df counts: what root alone may use counts as used. None where it cannot be seen."""
        try:
            seen = os.statvfs(self._root)
        except OSError:
            return None, None
        return (seen.f_blocks - seen.f_bavail) * seen.f_frsize, seen.f_blocks * seen.f_frsize
