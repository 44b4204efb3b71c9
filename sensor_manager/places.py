"""Places are paths `site/building/floor/room`; what a pattern of them means is said once, in contracts.manifest_places."""

from __future__ import annotations

import re

from contracts.manifest_places import WHERE, matches

__all__ = ["fixed_part", "matches", "parents", "pattern_fault", "place_fault"]

LEVELS = 8
_LEVEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")
_WHERE = re.compile(WHERE)


def place_fault(place: str) -> str:
    """The rule that `place` breaks, or nothing."""
    levels = place.split("/")
    if not place or len(levels) > LEVELS:
        return f"A place has 1 to {LEVELS} levels divided by /, such as hq/main/floor-1/room-101."
    bad = next((level for level in levels if not _LEVEL.fullmatch(level)), None)
    if bad is not None:
        return f"A level of a place is 1 to 40 of a-z, 0-9 and -, and does not start or end with -; {bad!r} is not."
    return ""


def pattern_fault(pattern: str) -> str:
    """The rule that `pattern` breaks, or nothing."""
    if _WHERE.fullmatch(pattern):
        return ""
    return "A pattern is a path such as hq/floor-1/** with no slash at its ends; * is one level, ** any number."


def fixed_part(pattern: str) -> str:
    """The levels before the first wildcard: `hq/floor-1/**` gives `hq/floor-1`."""
    levels: list[str] = []
    for level in pattern.split("/"):
        if "*" in level:
            break
        levels.append(level)
    return "/".join(levels)


def parents(place: str) -> list[str]:
    """Every place above `place` and itself, from the site down."""
    levels = place.split("/")
    return ["/".join(levels[: n + 1]) for n in range(len(levels))]
