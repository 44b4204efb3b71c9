"""What is printed: results on standard out, everything else on standard error, and with --json one JSON object."""

from __future__ import annotations

import json as jsons
import re
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

WIDE = 400
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
COLOURS = {
    "RUNNING": "green", "BUILT": "green", "healthy": "green", "HEALTHY": "green", "ready": "green", "FAILED": "red", "down": "red",
    "GONE": "red", "away": "red", "silent": "red", "open": "red", "up": "green", "waiting": "yellow",
    "degraded": "yellow", "UNHEALTHY": "yellow", "STOPPED": "dim", "none": "dim",
}  # fmt: skip


def console(error: bool = False) -> Console:
    """As wide as it needs where nobody looks, so that pipes get whole lines."""
    stream = sys.stderr if error else sys.stdout
    return Console(stderr=error, highlight=False, width=None if stream.isatty() else WIDE)


def plain(text: object) -> str:
    """What others wrote must not steer the terminal."""
    return CONTROL.sub("?", str(text))


def json(value: Any) -> None:
    print(jsons.dumps(value, ensure_ascii=False, indent=1))


def json_line(value: Any) -> None:
    print(jsons.dumps(value, ensure_ascii=False), flush=True)


def say(text: str = "", style: str = "") -> None:
    """News, beside the result."""
    console(error=True).print(Text(plain(text), style), soft_wrap=True)


def line(text: str) -> None:
    """The result itself."""
    print(plain(text), flush=True)


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], nothing: str) -> None:
    """A column's head in small letters; words that mean well or ill are coloured."""
    found = [[plain("" if cell is None else cell) for cell in row] for row in rows]
    if not found:
        say(nothing)
        return
    made = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for column in columns:
        made.add_column(column, overflow="fold")
    for row in found:
        made.add_row(*(Text(cell, COLOURS.get(cell, "")) for cell in row))
    out = console()
    with out.capture() as captured:
        out.print(made)
    for one in captured.get().splitlines():
        print(one.rstrip())


def moment(text: str | None) -> str:
    """RFC 3339 to the second, as people read it (UTC)."""
    return (text or "")[:19].replace("T", " ")
