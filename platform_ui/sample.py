"""What an app must say at least, as the empty list of apps shows it, and the annotated example to take along."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from platform_ui.lines import Line, lines

EXAMPLE = Path(__file__).parent.parent / "contracts" / "examples" / "berth.yml"

LEAST = """\
berth: 1
name: comfort
version: 1.0.0
services:
  web:
    runtime: python
    command: python app.py
    port: 8000
    public: true
sensors:
  temperature:
    kind: temperature
    where: "demo/**"
    at_least: 1
"""


@cache
def example() -> list[Line]:
    return lines(LEAST, [])


def annotated() -> str:
    return EXAMPLE.read_text()
