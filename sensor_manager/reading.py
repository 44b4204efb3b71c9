"""A reading on its way: the records of the topics `readings` and `streams`, and how values become numbers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

LARGEST = 2**53
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Reading(msgspec.Struct, frozen=True, omit_defaults=True):
    """s sensor's global id, d device, w workspace, t microseconds since 1970 UTC; v a number (booleans are 0 and 1), else o."""

    s: str
    d: str
    w: str
    t: int
    v: float | None = None
    o: Any = None

    @property
    def time(self) -> datetime:
        return moment(self.t)


encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[Reading | list[Reading]] = msgspec.json.Decoder(Reading | list[Reading])


def unpacked(value: bytes) -> list[Reading]:
    """The readings of one record, which holds one or a list. msgspec.DecodeError: it is none."""
    got = _decoder.decode(value)
    return got if isinstance(got, list) else [got]


def split(value: Any) -> tuple[float | None, Any]:
    """(number, other): integers beyond 2^53, text and objects are kept as they are."""
    if isinstance(value, (bool, int, float)) and abs(value) <= LARGEST:
        return float(value), None
    if isinstance(value, float):
        return value, None
    return None, value


def micros(time: datetime) -> int:
    """Microseconds since 1970 UTC, exactly."""
    return (time - _EPOCH) // timedelta(microseconds=1)


def moment(micros: int) -> datetime:
    return _EPOCH + timedelta(microseconds=micros)
