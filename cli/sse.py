"""Server-sent events out of lines (WHATWG HTML, 9.2.6)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Event:
    id: str
    name: str
    data: Any


def parsed(lines: Iterable[str]) -> Iterator[Event]:
    """Comments, which only say that the other side lives, are left out."""
    id, name = "", ""
    data: list[str] = []
    for line in lines:
        if not line:
            if data:
                yield Event(id, name, json.loads("\n".join(data)))
            name, data = "", []
            continue
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "data":
            data.append(value)
        elif field == "event":
            name = value
        elif field == "id":
            id = value
