"""What a query says about time: moments, spans and buckets. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from contracts.errors import Invalid, Problem

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
MOST_BUCKETS = 5_000
DEFAULT = timedelta(hours=1)


def moment_in(text: str, now: datetime, path: str) -> datetime:
    """RFC 3339, or how long before `now` (`15m`, `6h`). Invalid."""
    if span := span_in(text):
        return now - timedelta(seconds=span)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        rule = "A moment is RFC 3339 with its zone, or how long ago: 30s, 15m, 6h, 7d."
        raise Invalid(rule, [Problem(path=path, value=text, rule=rule)])
    return moment.astimezone(UTC)


def span_in(text: str) -> int:
    """Seconds of `30s`, `15m`, `6h`, `7d`, or a plain number of seconds; 0 where it is none."""
    digits, unit = (text[:-1], text[-1:]) if text[-1:] in UNITS else (text, "s")
    return int(digits) * UNITS[unit] if digits.isascii() and digits.isdigit() and len(digits) < 9 else 0


def window(since: str, until: str, bucket: str, now: datetime) -> tuple[datetime, datetime, int]:
    """(since, until, seconds a bucket or 0). Invalid: with every problem."""
    problems: list[Problem] = []
    end = start = now
    try:
        end = moment_in(until, now, "until") if until else now + timedelta(minutes=5)
    except Invalid as error:
        problems += error.problems
    try:
        start = moment_in(since, now, "since") if since else min(end, now) - DEFAULT
    except Invalid as error:
        problems += error.problems
    seconds = span_in(bucket) if bucket else 0
    if bucket and not seconds:
        problems.append(Problem(path="bucket", value=bucket, rule="A bucket is a span such as 30s, 15m, 6h, 1d."))
    if not problems and start >= end:
        problems.append(Problem(path="since", value=since, rule="since lies before until."))
    if seconds and (end - start).total_seconds() / seconds > MOST_BUCKETS:
        problems.append(Problem(path="bucket", value=bucket, rule=f"That is more than {MOST_BUCKETS:,} buckets.",
                                hint="Ask for longer buckets or a shorter time."))
    if problems:
        raise Invalid("The time asked for is not valid.", problems)
    return start, end, seconds
