"""What a record of the topic becomes before it is kept or shown: the same for both, so that a tail shows what is found later."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import ValidationError

from backbone.bus.raw import Record
from contracts.errors import Invalid
from contracts.lines import Line
from logger.model import SIGN, Entry, entry

LONGEST_NAME = 200
LONGEST_FACTS = 32 * 1024
AHEAD = timedelta(hours=1)
NAMES = ("workspace", "app", "deployment", "release", "service", "instance", "node", "correlation")


def arrived(record: Record) -> Entry:
    """Invalid: it is no line, with the reason.

    What a database could not keep is mended: NUL, names that no index takes, a moment that lies more than an hour ahead
    (it becomes the moment at which the line was sent).
    """
    try:
        line = Line.decoded(record.value)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False, include_context=False)
        raise Invalid("; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in found[:3])) from None
    if not 0 <= line.position < SIGN or not 0 <= line.generation < SIGN:
        raise Invalid("position and generation are whole numbers of 63 bits")
    changes = _texts(line, b"\\u0000" in record.value) | _moment(line, record)
    if line.facts and len(record.value) > LONGEST_FACTS and len(json.dumps(line.facts)) > LONGEST_FACTS:
        changes["facts"] = {"left_out": f"facts of more than {LONGEST_FACTS} letters"}
    return entry(line.model_copy(update=changes) if changes else line, record.partition, record.offset)


def _texts(line: Line, nul: bool) -> dict[str, Any]:
    mended = {name: value[:LONGEST_NAME] for name in NAMES if len(value := getattr(line, name)) > LONGEST_NAME}
    if nul:
        mended = {name: mended.get(name, getattr(line, name)).replace("\0", "\ufffd") for name in ("text", *NAMES)}
    return mended


def _moment(line: Line, record: Record) -> dict[str, Any]:
    """A moment without a zone is UTC."""
    time = line.time.astimezone(UTC) if line.time.tzinfo else line.time.replace(tzinfo=UTC)
    sent = datetime.fromtimestamp(max(0, record.time_ms) / 1000, UTC)
    if time > sent + AHEAD:
        time = sent
    return {} if time is line.time else {"time": time}

