"""Where a tail stands, as the id of its last event: what it takes to go on without a gap and without a double. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from contracts.errors import Invalid, Problem
from logger.model import Cursor, Shards

LONGEST = 600


@dataclass(frozen=True)
class Place:
    """Everything before `next` has been given, but, where `after` is set, only the lines from `low` on up to that cursor.

    A tail begins with kept lines in order of time (`low` to `next`), then goes on in the order in which lines come.
    """

    next: Shards
    low: Shards = field(default_factory=dict)
    after: Cursor | None = None

    @property
    def text(self) -> str:
        return _text(self.next) if self.after is None else "~".join((_text(self.next), _text(self.low), self.after.text))


def place_of(text: str) -> Place | None:
    """None: from the beginning. Invalid: it is no id of ours."""
    if not text:
        return None
    try:
        if len(text) > LONGEST:
            raise ValueError(text)
        first, *rest = text.split("~")
        if not rest:
            return Place(_shards(first))
        low, after = rest
        return Place(_shards(first), _shards(low), Cursor.of(after))
    except ValueError:
        rule = "Last-Event-ID is the id of an event of this stream."
        problem = Problem(path="Last-Event-ID", value=text[:40], rule=rule, hint="Leave it out to begin anew.")
        raise Invalid(rule, [problem]) from None


def _text(shards: Shards) -> str:
    return "-".join(f"{shard:x}.{at:x}" for shard, at in sorted(shards.items()) if at)


def _shards(text: str) -> dict[int, int]:
    found = {}
    for part in text.split("-") if text else ():
        shard, dot, at = part.partition(".")
        if not dot or not (shard + at).isascii() or not (shard + at).isalnum() or len(shard) > 3 or len(at) > 15:
            raise ValueError(text)
        found[int(shard, 16)] = int(at, 16)
    return found
