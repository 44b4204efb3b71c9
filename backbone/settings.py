"""The only reader of the environment: environment beats the settings file beats the default; all problems are said together."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from contracts.errors import Invalid, Problem

MISSING = "\0missing"


class Secret:
    """Text that hides itself in logs and tracebacks."""

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return "Secret(***)"

    __str__ = __repr__

    def __bool__(self) -> bool:
        return bool(self._text)


class Settings:
    """Ask for each setting once; then `check()` raises Invalid with every missing or malformed one. NAME_FILE holds NAME's value too."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self.values = dict(values)
        self.problems: list[Problem] = []

    @classmethod
    def from_environment(cls) -> Settings:
        path = Path(os.environ.get("BERTH_SETTINGS_FILE", "/run/secrets/settings"))
        lines = path.read_text().splitlines() if path.is_file() else []
        pairs = (line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
        return cls({k.strip(): v for k, v in pairs} | dict(os.environ))

    def text(self, name: str, default: str = MISSING) -> str:
        if name in self.values:
            return self.values[name]
        if f"{name}_FILE" in self.values:
            path = Path(self.values[f"{name}_FILE"])
            if path.is_file():
                return path.read_text().strip()
            self._problem(name, str(path), f"{name}_FILE names a file that is not there.")
            return ""
        if default is MISSING:
            self._problem(name, None, f"The setting {name} is missing.")
            return ""
        return default

    def secret(self, name: str, default: str = MISSING) -> Secret:
        return Secret(self.text(name, default))

    def number(self, name: str, default: float) -> float:
        written = self.text(name, str(default))
        try:
            return float(written)
        except ValueError:
            self._problem(name, written, f"{name} is a number.")
            return default

    def flag(self, name: str, default: bool = False) -> bool:
        written = self.text(name, "1" if default else "0").lower()
        if written not in ("0", "1", "true", "false", "yes", "no"):
            self._problem(name, written, f"{name} is yes or no.")
        return written in ("1", "true", "yes")

    def has(self, name: str) -> bool:
        return name in self.values or f"{name}_FILE" in self.values

    def check(self) -> None:
        if self.problems:
            raise Invalid("These settings are wrong: " + ", ".join(p.path for p in self.problems), self.problems)

    def _problem(self, name: str, value: str | None, rule: str) -> None:
        self.problems.append(Problem(path=name, value=value, rule=rule, hint=f"Set {name} or {name}_FILE."))
