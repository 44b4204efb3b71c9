"""What a device sends, as JSON: one reading, an array of them, or a SenML pack (RFC 8428); to one list of raw readings."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from contracts.errors import Invalid, Problem, TooLarge
from sensor_manager.reading import LARGEST, from_json

MOST_BYTES = 4 << 20
MOST_READINGS = 5_000
RELATIVE = 2**28  # RFC 8428, 4.5.3: smaller times count from now
SENML = ("n", "bn", "v", "vs", "vb", "vd", "bt", "bu", "bv")


@dataclass(frozen=True, slots=True)
class Raw:
    """As it was sent; `fault` says why it cannot be looked at further."""

    sensor: str
    time: Any
    value: Any
    fault: str = ""


def inflated(body: bytes, encoding: str) -> bytes:
    """The body as it was before `Content-Encoding`. Invalid, TooLarge."""
    if encoding in ("", "identity"):
        return body
    if encoding != "gzip":
        raise Invalid(f"Content-Encoding {encoding!r} is not understood; send gzip, or none.")
    unpacker = zlib.decompressobj(wbits=31)
    try:
        plain = unpacker.decompress(body, MOST_BYTES + 1)
    except zlib.error as error:
        raise Invalid(f"The body is not gzip, although Content-Encoding says so: {error}.") from error
    if len(plain) > MOST_BYTES:
        raise TooLarge(f"More than {MOST_BYTES >> 20} MiB after gzip; send fewer readings at once.")
    if not unpacker.eof:
        raise Invalid("The gzip body ends before its end.")
    return plain


def parse(body: bytes, now: int) -> list[Raw]:
    """Invalid: it is none of the three, or empty. TooLarge: more than MOST_READINGS. `now` is in microseconds."""
    got = from_json(body)
    items = got if isinstance(got, list) else [got]
    if not items or not all(isinstance(item, dict) for item in items):
        rule = 'The body is {"sensor_id", "timestamp", "value"}, an array of them with at least one, or a SenML pack.'
        raise Invalid(rule, [Problem(path="body", rule=rule)])
    if len(items) > MOST_READINGS:
        raise TooLarge(f"{len(items):,} readings at once; at most {MOST_READINGS:,} are taken.")
    if not any("sensor_id" in item for item in items) and any(key in items[0] for key in SENML):
        return _senml(items, now)
    return [_own(item) for item in items]


def _own(item: Mapping[str, Any]) -> Raw:
    sensor = item.get("sensor_id")
    if not isinstance(sensor, str) or not sensor:
        return Raw(str(sensor or ""), None, None, "sensor_id is missing: the device's own name for its sensor, or the global id.")
    if item.get("value") is None:
        return Raw(sensor, None, None, "value is missing.")
    return Raw(sensor, item.get("timestamp"), item["value"])


def _senml(items: list[dict[str, Any]], now: int) -> list[Raw]:
    """Base fields count for their record and those after it."""
    name, time, number = "", 0.0, 0.0
    found: list[Raw] = []
    for item in items:
        name, time, number = item.get("bn", name), item.get("bt", time), item.get("bv", number)
        full = f"{name}{item.get('n', '')}"
        bases = (time, number, item.get("t", 0))
        if any(isinstance(x, bool) or not isinstance(x, (int, float)) or abs(x) > LARGEST for x in bases):
            found.append(Raw(full, None, None, "bt, bv and t are numbers."))
            continue
        values = [key for key in ("v", "vs", "vb") if item.get(key) is not None]
        if len(values) == 1:
            value = item[values[0]]
            if values[0] == "v" and number and isinstance(value, (int, float)) and abs(value) <= LARGEST:
                value = number + value
            found.append(Raw(full, _senml_time(time + item.get("t", 0), now), value))
        elif values or "vd" in item or "s" in item or "bn" not in item or "n" in item:
            found.append(Raw(full, None, None, "A SenML record has one of v, vs and vb; vd and s are not taken."))
    if not found:
        raise Invalid("The SenML pack holds no value.")
    return found


def _senml_time(time: float, now: int) -> float | None:
    """In seconds, as our own timestamps may be; None is now."""
    if time == 0:
        return None
    return now / 1_000_000 + time if abs(time) < RELATIVE else time
