"""Kinds: which type of value a sensor gives, in which unit and range. They are data; these are the ones there from the start."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

VALUES = ("number", "boolean", "text", "object")
LONGEST_TEXT = 10_000


@dataclass(frozen=True)
class Kind:
    """`value` is one of VALUES; `workspace` is empty for the standard ones that everybody has."""

    name: str
    value: str = "number"
    unit: str = ""
    minimum: float | None = None
    maximum: float | None = None
    description: str = ""
    workspace: str = ""

    def asdict(self) -> dict[str, Any]:
        return asdict(self)


STANDARD = (
    Kind("temperature", "number", "°C", -90, 200, "Air or surface temperature."),
    Kind("humidity", "number", "%", 0, 100, "Relative humidity."),
    Kind("co2", "number", "ppm", 0, 100_000, "Carbon dioxide in air."),
    Kind("light", "number", "lx", 0, 200_000, "Illuminance."),
    Kind("occupancy", "boolean", "", None, None, "Whether somebody is there."),
    Kind("power", "number", "W", -10_000_000, 10_000_000, "Electrical power; negative where it is given back."),
    Kind("cpu", "number", "%", 0, 100, "Use of all processor cores together."),
    Kind("memory", "number", "%", 0, 100, "Use of working memory."),
    Kind("disk", "number", "%", 0, 100, "Use of a file system."),
    Kind("load", "number", "", 0, 100_000, "Processes that run or wait, mean of a minute."),
)


def value_fault(kind: Kind, value: Any) -> str:
    """Why `value` is not one of `kind`, as a sentence, or nothing. 0, False and "" are values."""
    if kind.value == "boolean":
        # devices that know no booleans send 0 and 1
        return "" if value is True or value is False or value == 0 or value == 1 and not isinstance(value, str) else (
            f"{kind.name} is a boolean: true, false, 0 or 1.")
    if kind.value == "number":
        return _number_fault(kind, value)
    if kind.value == "text":
        if not isinstance(value, str):
            return f"{kind.name} is text."
        return "" if len(value) <= LONGEST_TEXT else f"{kind.name}: text of more than {LONGEST_TEXT} characters."
    return "" if isinstance(value, (dict, list)) else f"{kind.name} is an object."


def _number_fault(kind: Kind, value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return f"{kind.name} is a number."
    if isinstance(value, float) and not math.isfinite(value):
        return f"{kind.name} is a finite number."
    if kind.minimum is not None and value < kind.minimum:
        return f"{kind.name} is at least {kind.minimum:g}{_unit(kind)}; {_shown(value)} is less."
    if kind.maximum is not None and value > kind.maximum:
        return f"{kind.name} is at most {kind.maximum:g}{_unit(kind)}; {_shown(value)} is more."
    return ""


def _unit(kind: Kind) -> str:
    return f" {kind.unit}" if kind.unit else ""


def _shown(value: float) -> str:
    """An integer may be greater than any float."""
    return f"{value:g}" if abs(value) < 1e300 else "far more than a float holds"
