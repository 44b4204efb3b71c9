"""What a query asks for, with everything that is wrong with it said at once. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import get_args

from contracts.errors import Invalid, Problem
from contracts.lines import LEVELS, LineKind
from contracts.spans import moment_in, span_in
from logger.model import EPOCH, Allowed, Cursor, Filter, allowed

KINDS: tuple[str, ...] = get_args(LineKind)
EXACT = ("app", "deployment", "release", "instance", "node", "correlation")
FILTERS = ("workspace", "kind", "level", "service", "text", "since", "until", *EXACT)
LONGEST = 200
MOST, USUAL = 1000, 200
MOST_LAST, USUAL_LAST = 1000, 50
STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400)
MOST_STEPS = 120
HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Page:
    filter: Filter
    after: Cursor | None
    newest: bool
    limit: int


@dataclass(frozen=True)
class Histogram:
    """Buckets of `step` seconds from `first` on; `filter` has both ends set."""

    filter: Filter
    step: int
    first: datetime
    count: int


@dataclass(frozen=True)
class Tail:
    filter: Filter
    last: int


class Asked:
    """Reads a query's values; `done` raises Invalid with every problem."""

    def __init__(self, query: Mapping[str, str], readable: list[str] | None, now: datetime, *more: str) -> None:
        self._query, self._now = query, now
        self._problems: list[Problem] = []
        known = (*FILTERS, *more)
        for name in query:
            if name not in known:
                self.wrong(name, "This query has no such name.", f"It has {', '.join(known)}.")
        for name, value in query.items():
            if name != "after" and (len(value) > LONGEST or "\0" in value):
                self.wrong(name, f"A value has at most {LONGEST} characters, and none of them is NUL.", "Ask for a part of it.")
        self._readable = readable

    def wrong(self, path: str, rule: str, hint: str = "") -> None:
        value = self._query.get(path, "")[:LONGEST]
        self._problems.append(Problem(path=path, value=value, rule=rule, hint=hint))

    def done(self) -> None:
        if self._problems:
            raise Invalid("The question about lines breaks a rule.", self._problems)

    def text(self, name: str) -> str:
        return self._query.get(name, "")

    def number(self, name: str, usual: int, least: int, most: int) -> int:
        written = self.text(name)
        if not written:
            return usual
        if not (written.isascii() and written.isdigit() and len(written) < 10 and least <= int(written) <= most):
            self.wrong(name, f"{name} is a whole number from {least} to {most}.", f"For example {name}={usual}.")
            return usual
        return int(written)

    def chosen(self, name: str, among: tuple[str, ...]) -> str:
        written = self.text(name)
        if written and written not in among:
            self.wrong(name, f"{name} is one of {', '.join(among)}.", f"For example {name}={among[-1]}.")
            return ""
        return written

    def moment(self, name: str) -> datetime | None:
        if not self.text(name):
            return None
        try:
            return moment_in(self.text(name), self._now, name)
        except (Invalid, OverflowError):
            rule = f"{name} is a moment by RFC 3339 with its zone, or how long ago: 30s, 15m, 6h, 7d."
            self.wrong(name, rule, f"For example {name}=15m.")
            return None

    def filter(self) -> Filter:
        """Forbidden: it asks for what the asker may not see."""
        kind, level = self.chosen("kind", KINDS), self.chosen("level", LEVELS)
        since, until = self.moment("since"), self.moment("until")
        if since and until and since >= until:
            self.wrong("since", "since lies before until.", "Exchange them, or leave one out.")
        seen: Allowed = allowed(self._readable, self.text("workspace"), kind)
        return Filter(
            seen.workspaces, seen.kinds, {name: self.text(name) for name in EXACT if self.text(name)},
            self.text("service"), LEVELS.index(level) if level else 0, self.text("text"), since, until,
        )  # fmt: skip


def page_asked(query: Mapping[str, str], readable: list[str] | None, now: datetime) -> Page:
    asked = Asked(query, readable, now, "limit", "next", "order")
    filter = asked.filter()
    limit, order, after = asked.number("limit", USUAL, 1, MOST), asked.chosen("order", ("oldest", "newest")), None
    if asked.text("next"):
        try:
            after = Cursor.of(asked.text("next"))
        except ValueError:
            asked.wrong("next", "next is what the page before gave as its next.", "Leave it out to begin anew.")
    asked.done()
    return Page(filter, after, order != "oldest", limit)


def counts_asked(query: Mapping[str, str], readable: list[str] | None, now: datetime) -> Histogram:
    """By default the last hour, in steps of which at most 120 cover the time."""
    asked = Asked(query, readable, now, "step")
    filter = asked.filter()
    until = filter.until or now + timedelta(microseconds=1)
    since = filter.since or until - HOUR
    if since >= until:
        asked.wrong("since", "since lies before until.", "Exchange them, or leave one out.")
    step = next((s for s in STEPS if _buckets(since, until, s) <= MOST_STEPS), 0)
    if asked.text("step"):
        step = span_in(asked.text("step"))
        if not step:
            asked.wrong("step", "step is a span: 10s, 5m, 1h, 1d.", "For example step=1m.")
        elif _buckets(since, until, step) > MOST_STEPS:
            asked.wrong("step", f"At most {MOST_STEPS} steps are counted at once.", "Ask for longer steps or a shorter time.")
    elif not step:
        asked.wrong("since", f"At most {MOST_STEPS} days are counted at once.", "Ask for a shorter time.")
    asked.done()
    first = _floor(since, step)
    bounded = replace(filter, since=since, until=until)
    return Histogram(bounded, step, first, _buckets(since, until, step))


def tail_asked(query: Mapping[str, str], readable: list[str] | None, now: datetime) -> Tail:
    asked = Asked(query, readable, now, "last", "after")
    filter, last = asked.filter(), asked.number("last", USUAL_LAST, 0, MOST_LAST)
    asked.done()
    return Tail(filter, last)


def _floor(moment: datetime, step: int) -> datetime:
    return EPOCH + (moment - EPOCH) // timedelta(seconds=step) * timedelta(seconds=step)


def _buckets(since: datetime, until: datetime, step: int) -> int:
    """How many it takes, where they begin at multiples of `step` since 1970."""
    span = timedelta(seconds=step)
    return (until - timedelta(microseconds=1) - EPOCH) // span - (since - EPOCH) // span + 1
