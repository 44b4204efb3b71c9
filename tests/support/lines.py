"""Lines for tests: made with few words, and sent as the agents and the deployer send them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from backbone.bus.raw import Records
from contracts.lines import Line
from contracts.topics import LINES

T0 = datetime(2026, 11, 28, 12, tzinfo=UTC)


def line(position: int, seconds: float = 0.0, source: str = "c1", begin: datetime = T0, **facts: Any) -> Line:
    """An app's line of workspace dora, unless `facts` say otherwise."""
    usual: dict[str, Any] = {"kind": "app", "text": f"line {position}", "workspace": "dora", "app": "hello", "deployment": "d1"}
    return Line(source=source, position=position, time=begin + timedelta(seconds=seconds), **(usual | facts))


def send(records: Records, lines: Iterable[Line | bytes]) -> None:
    """Acknowledged when it returns; bytes are no line."""
    failed: list[Exception] = []

    def settled(error: Exception | None) -> None:
        if error:
            failed.append(error)

    for one in lines:
        key, value = (one.key, one.encoded()) if isinstance(one, Line) else (b"odd", one)
        records.send(LINES, key, value, settled)
        records.poll(0)
    records.flush(20)
    assert not failed, failed[0]


def texts(items: Iterable[dict[str, Any]]) -> list[str]:
    return [item["text"] for item in items]


def encoded(one: Line, **changes: Any) -> bytes:
    """As a sender writes it who knows no model."""
    return json.dumps(one.model_dump(mode="json") | changes).encode()
