"""Places are paths `site/building/floor/room`; patterns pick them: `*` is one level, `**` any number of levels, also none."""

from __future__ import annotations

import re
from collections.abc import Sequence

from contracts.manifest_texts import WHERE

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


def matches(pattern: str, place: str) -> bool:
    """`hq/*` is each place right under hq, `hq/**` is hq itself and all below it, `**` is everywhere."""
    return _matches(pattern.split("/"), place.split("/"))


def _matches(pattern: Sequence[str], levels: Sequence[str]) -> bool:
    if not pattern:
        return not levels
    if pattern[0] == "**":
        return any(_matches(pattern[1:], levels[n:]) for n in range(len(levels) + 1))
    return bool(levels) and pattern[0] in ("*", levels[0]) and _matches(pattern[1:], levels[1:])


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
