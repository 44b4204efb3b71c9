"""Timestamps in s, ms, µs since 1970 or RFC 3339, told apart by size."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sensor_manager.reading import micros

SECONDS, MILLIS, MICROS = 10**11, 10**14, 10**17  # below: in s to the year 5138; in ms from 1973 on; in µs from 1973 on
OLDEST = timedelta(days=30)
AHEAD = timedelta(minutes=5)


def time_of(given: Any, now: int) -> int | str:
    """Microseconds since 1970; `now` where none is given. Text: why it is not a time."""
    if given is None:
        return now
    if isinstance(given, str):
        return _written(given)
    if isinstance(given, bool) or not isinstance(given, (int, float)):
        return "A timestamp is a number of seconds, milliseconds or microseconds since 1970, or RFC 3339 text."
    size = abs(given)
    if size < SECONDS:
        return round(given * 1_000_000)
    if size < MILLIS:
        return round(given * 1000)
    if size < MICROS:
        return round(given)
    return "The timestamp is too great: seconds, milliseconds and microseconds since 1970 are understood."


def age_fault(time: int, now: int) -> str:
    """Why a reading of this time is not taken now, or nothing."""
    if time < now - OLDEST // timedelta(microseconds=1):
        return "The timestamp is more than 30 days ago; older readings come by import."
    if time > now + AHEAD // timedelta(microseconds=1):
        return "The timestamp is more than 5 minutes ahead; check the device's clock."
    return ""


def _written(text: str) -> int | str:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return f"The timestamp {text!r:.60} is not RFC 3339, such as 2026-11-28T12:00:00.5Z."
    if time.tzinfo is None:
        return f"The timestamp {text!r} has no zone; end it with Z for UTC, or with an offset."
    return micros(time)
