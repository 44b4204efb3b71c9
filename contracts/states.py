"""States are numbers that only grow within a generation: late, repeated and reordered news does no harm."""

from __future__ import annotations

from enum import IntEnum, StrEnum


class Rollout(IntEnum):
    """A deployment's generation on its way."""

    ASKED = 100
    BUILDING = 200
    BINDING = 300
    PLACING = 400
    STARTING = 500
    RUNNING = 600
    DRAINING = 700
    STOPPED = 800
    FAILED = 900

    @property
    def final(self) -> bool:
        return self >= Rollout.STOPPED


class Build(IntEnum):
    """A release on its way to images."""

    ACCEPTED = 100
    FETCHING = 200
    BUILDING = 300
    PUSHING = 400
    BUILT = 800
    FAILED = 900

    @property
    def final(self) -> bool:
        return self >= Build.BUILT


class InstanceState(IntEnum):
    """One running copy of a service, as its node's agent sees it."""

    STARTING = 100
    HEALTHY = 200
    UNHEALTHY = 300
    GONE = 900


class Serving(StrEnum):
    """What users of a deployment's link get."""

    NONE = "none"
    HEALTHY = "healthy"
    DEGRADED = "degraded"
    DOWN = "down"


def later(stored: int, heard: int) -> int:
    """The greater is true, except that of two final states (800 and up) the first stored wins."""
    if stored >= 800:
        return stored
    return max(stored, heard)
