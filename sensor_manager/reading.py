"""A reading on its way: the records of the topics `readings` and `streams`, and how values become numbers. Alone uses msgspec."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from contracts.errors import Invalid

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


_encoder = msgspec.json.Encoder()
_record: msgspec.json.Decoder[Reading | list[Reading]] = msgspec.json.Decoder(Reading | list[Reading])
_anything: msgspec.json.Decoder[Any] = msgspec.json.Decoder()


def as_json(value: Any) -> bytes:
    return _encoder.encode(value)


def from_json(raw: bytes) -> Any:
    """Invalid: it is no JSON, or too deep."""
    try:
        return _anything.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Invalid(f"The body is not JSON: {error}.") from error


def packed(readings: Sequence[Reading]) -> bytes:
    """One record."""
    return _encoder.encode(readings[0] if len(readings) == 1 else readings)


def unpacked(value: bytes) -> list[Reading]:
    """The readings of one record. Invalid: it is none."""
    try:
        got = _record.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Invalid(f"not a record of readings: {error}") from error
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
