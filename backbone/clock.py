"""The one place that reads time, makes ids and waits, so that a test can be the clock."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

EARLY = 0.005
"""Seconds before a moment that count as that moment: a wait may end a little early, and would be followed by one that is none."""


class Clock(Protocol):
    """Times are UTC with microseconds; ids are UUIDv7 (RFC 9562) as lower-case text, so they sort by age."""

    def now(self) -> datetime: ...

    def monotonic(self) -> float:
        """Seconds that never go back; only differences mean something."""

    def new_id(self) -> str: ...

    def sleep(self, seconds: float) -> None: ...


def uuid7(milliseconds: int, random: bytes) -> str:
    """RFC 9562 section 5.7 from a time and ten bytes."""
    raw = bytearray(milliseconds.to_bytes(6, "big") + random[:10])
    raw[6] = 0x70 | raw[6] & 0x0F
    raw[8] = 0x80 | raw[8] & 0x3F
    text = raw.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def derived_id(cause: str, source: str, position: int) -> str:
    """The id of an answer: work repeated after a crash says the same thing twice, not a new thing. Keeps the cause's time."""
    random = hashlib.sha256(f"{cause}/{source}/{position}".encode()).digest()
    try:
        milliseconds = int(cause.replace("-", "")[:12], 16)
    except ValueError:
        milliseconds = 0
    return uuid7(milliseconds, random)


def new_trace() -> str:
    """A W3C trace id: 32 hex digits, never all zero."""
    return os.urandom(16).hex()


def text_of(moment: datetime) -> str:
    """RFC 3339 of fixed width, so that text sorts as time does."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def moment_of(text: str) -> datetime:
    return datetime.fromisoformat(text)


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def new_id(self) -> str:
        return uuid7(time.time_ns() // 1_000_000, os.urandom(10))

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


class ManualClock:
    """The twin: time passes only by `advance` (and by `sleep`, which returns at once). Ids come in a fixed order."""

    def __init__(self, start: datetime = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)) -> None:
        self._now, self._passed, self._count, self._lock = start, 0.0, 0, threading.Lock()

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._passed

    def new_id(self) -> str:
        with self._lock:
            self._count += 1
            return uuid7(int(self._now.timestamp() * 1000), self._count.to_bytes(10, "big"))

    def sleep(self, seconds: float) -> None:
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)
        self._passed += seconds


def following(now: float, seconds: float) -> float:
    """The next of the moments that are `seconds` apart, by a clock that all processes of a machine share.

    A machine at rest that is woken once a second for everything works less than one that is woken for each thing alone.
    """
    return (now // seconds + 1) * seconds if seconds else now


def left(now: float, seconds: float) -> float:
    """Seconds to wait for the next of those moments, for a thread that has nothing else to wait for."""
    return following(now + EARLY, seconds) - now
