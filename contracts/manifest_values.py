"""The single values a manifest is written with, each a rule that says what it refuses and how to mend it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic_core import PydanticCustomError, core_schema

from contracts.manifest_yaml_words import quoted


def wrong(rule: str, hint: str = "", fix: Any = None) -> PydanticCustomError:
    """A refusal in our words; `{key}` in the rule becomes the key it stands at, a fix becomes the corrected line."""
    return PydanticCustomError("berth", "{rule}", {"rule": rule, "hint": hint, "fix": fix})


class Checked:
    """Stands in Annotated[...]: `check` validates and converts, `schema` is its JSON Schema."""

    def check(self, value: Any) -> Any:
        raise NotImplementedError

    def schema(self) -> dict[str, Any]:
        raise NotImplementedError

    def passes(self, value: Any) -> Any:
        """The converted value, or None where it does not pass."""
        try:
            return self.check(value)
        except PydanticCustomError:
            return None

    def __get_pydantic_core_schema__(self, _source: Any, _handler: Any) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(self.check)

    def __get_pydantic_json_schema__(self, _schema: Any, _handler: Any) -> dict[str, Any]:
        return self.schema()


@dataclass(frozen=True)
class Number(Checked):
    """A number from least to most; whole where least is an int."""

    least: int | float
    most: int | float
    why: str = ""

    def check(self, value: Any) -> Any:
        whole = isinstance(self.least, int)
        kind = "whole number" if whole else "number"
        allowed = int if whole else (int, float)
        if isinstance(value, bool) or not isinstance(value, allowed) or not self.least <= value <= self.most:
            raise wrong(
                f"'{{key}}' is a {kind} from {self.least:g} to {self.most:g}, not {quoted(value)}.",
                self.why,
                self._fix(value),
            )
        return value if whole else float(value)

    def _fix(self, value: Any) -> int | float | None:
        text = str(value).strip() if isinstance(value, str) else ""
        number: int | float | None = int(text) if re.fullmatch(r"[0-9]{1,9}", text) else None
        if not isinstance(self.least, int) and re.fullmatch(r"[0-9]{1,6}m", text):
            number = int(text[:-1]) / 1000  # Kubernetes' way of writing thousandths of a core
        return number if number is not None and self.least <= number <= self.most else None

    def schema(self) -> dict[str, Any]:
        return {
            "type": "integer" if isinstance(self.least, int) else "number",
            "minimum": self.least,
            "maximum": self.most,
        }


@dataclass(frozen=True)
class Text(Checked):
    """Text that matches the pattern; `rule` begins the sentence, `mend` makes a corrected text of a wrong one."""

    rule: str
    pattern: str
    most: int = 200
    mend: Callable[[str], str] = field(default=str)
    hint: str = ""

    def check(self, value: Any) -> str:
        if isinstance(value, str) and len(value) <= self.most and re.fullmatch(self.pattern, value):
            return value
        if isinstance(value, str) and len(value) > self.most:
            raise wrong(
                f"'{{key}}' has at most {self.most} characters, and {quoted(value)} has {len(value)}.",
                "Write it shorter.",
            )
        fixed = self.mend(str(value)) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""
        good = len(fixed) <= self.most and re.fullmatch(self.pattern, fixed)
        raise wrong(f"{self.rule}, not {quoted(value)}.", self.hint, fixed if good else None)

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "pattern": f"^(?:{self.pattern})$", "maxLength": self.most}


@dataclass(frozen=True)
class Measure(Checked):
    """A number with a unit from least to most, kept as a number of the base unit; a bare number is of the base unit."""

    rule: str
    units: Mapping[str, float] = field(hash=False)
    least: str
    most: str
    whole: bool = False
    guess: str = ""

    def number(self, text: str) -> float | None:
        match = re.fullmatch(r"([0-9]{1,12}(?:\.[0-9]{1,6})?) ?(\D+)", text.strip())
        if match is None or match[2] not in self.units:
            return None
        return round(float(match[1]) * self.units[match[2]], 9)

    def check(self, value: Any) -> Any:
        number = self.number(value) if isinstance(value, str) else value
        if isinstance(number, bool) or not isinstance(number, int | float):
            raise wrong(f"{self.rule}, not {quoted(value)}.", f"Units are {', '.join(self.units)}.", self._fix(value))
        if not self._inside(number):
            raise wrong(
                f"'{{key}}' is between {self.least} and {self.most}, not {quoted(value)}.", "", self._fix(value)
            )
        return int(number) if self.whole else float(number)

    def _inside(self, number: float) -> bool:
        return (self.number(self.least) or 0) <= number <= (self.number(self.most) or 0)

    def _fix(self, value: Any) -> str | None:
        """A number without its unit, or with one in another case or of another school, as it was most likely meant."""
        match = re.fullmatch(r"([0-9]{1,12}(?:\.[0-9]{1,6})?) ?([A-Za-z%/]*)", str(value))
        if match is None or isinstance(value, bool):
            return None
        short = match[2].lower()[:1]
        unit = next((unit for unit in self.units if short and unit.lower().startswith(short)), self.guess)
        fixed = self.number(match[1] + unit) if unit else None
        return match[1] + unit if fixed is not None and self._inside(fixed) and match[1] + unit != value else None

    def schema(self) -> dict[str, Any]:
        units = "|".join(re.escape(unit) for unit in self.units)
        text = {"type": "string", "pattern": f"^[0-9]+(\\.[0-9]+)? ?({units})$"}
        low, high = self.number(self.least), self.number(self.most)
        return {"anyOf": [text, {"type": "integer" if self.whole else "number", "minimum": low, "maximum": high}]}


def duration(least: str, most: str) -> Measure:
    """Seconds, written 20s, 5m, 1h or 500ms."""
    return Measure(
        "A time is written like 20s, 5m or 1h", {"s": 1, "m": 60, "h": 3600, "ms": 0.001}, least, most, guess="s"
    )


def size(least: str, most: str) -> Measure:
    """Bytes, written 128Mi or 1Gi (powers of 1024)."""
    units = {"Mi": 2**20, "Gi": 2**30, "Ki": 2**10, "Ti": 2**40}
    return Measure("A size is written like 128Mi or 1Gi", units, least, most, whole=True, guess="Mi")


def percent(least: str, most: str) -> Measure:
    """A share of one, written 70%."""
    return Measure("A share is written like 70%", {"%": 0.01}, least, most, guess="%")


def per_second(least: str, most: str) -> Measure:
    """Per second, written 50/s or 600/m."""
    return Measure("A rate is written like 50/s", {"/s": 1, "/m": 1 / 60}, least, most, guess="/s")
