"""What a printed line says of itself: its level, its words, its facts, the action it belongs to. Whoever printed it, it is only text."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from contracts.lines import LONGEST, Level

LEVELS: dict[str, Level] = {
    "trace": "debug", "debug": "debug", "info": "info", "notice": "info", "log": "info", "warn": "warning", "warning": "warning",
    "error": "error", "err": "error", "severe": "error", "critical": "critical", "crit": "critical", "fatal": "critical",
    "panic": "critical", "alert": "critical", "emerg": "critical",
}  # fmt: skip
LEVEL_KEYS = ("level", "severity", "levelname", "lvl")
TEXT_KEYS = ("event", "message", "msg", "text")
CORRELATION_KEYS = ("correlation", "traceparent", "trace_id", "correlation_id")
ABOUT = ("workspace", "deployment", "app", "release")
"""Whom a line of the platform itself is about. An app says nothing of this: its labels do."""
ASIDE = {*LEVEL_KEYS, *CORRELATION_KEYS, "time", "timestamp", "subsystem", "replica", "node", "incarnation"}

_BEFORE = r"(?:(?:[\[(<]?[+-]?\d[\d:.,/TZ+-]*[\])>]?|UTC|GMT|[-|]|\[[^\]\s]*\]|[\w.]+(?=\s+-\s))\s+){0,8}?"
_UPPER = "TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|SEVERE|CRITICAL|CRIT|FATAL|PANIC|ALERT|EMERG"
LEADING = re.compile(rf"\s*{_BEFORE}[\[(<]?(?:({_UPPER})(?=[\])>\s:|,-]|$)|((?i:{_UPPER}|LOG))(?=[\])>:]))")
LOGFMT = re.compile(r'(?:^|\s)(?:level|lvl|severity)="?([A-Za-z]+)\b')
SYSLOG = re.compile(r"(?:%|<)([0-7])(?:\||>)")
SYSLOG_LEVELS: tuple[Level, ...] = ("critical", "critical", "critical", "error", "warning", "info", "info", "debug")
TRACEPARENT = re.compile(r"\b00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}\b")
CORRELATION = re.compile(r"correlation\W{1,4}([0-9a-f]{32})\b")
TRACE = re.compile(r"[0-9a-f]{32}")
COLOUR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
TRACEBACK = "Traceback (most recent call last):"
CUT = "… (cut)"
PLAIN = re.compile(r"[^\s\"=]+")


@dataclass(frozen=True)
class Told:
    """`about` is what a line of the platform says of whom it is about; `time` its own, where it bears one."""

    text: str
    level: Level = "info"
    correlation: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    about: dict[str, str] = field(default_factory=dict)
    time: datetime | None = None


def told(raw: str, ours: bool = False) -> Told:
    """`ours`: the platform's own, believed about its time and whom it is about."""
    if raw.startswith("{") and raw.rstrip().endswith("}") and (found := _object(raw)) is not None:
        return _structured(found, ours)
    text = COLOUR.sub("", raw)
    return Told(fitting(text), level_of(text), correlation_in(text))


def level_of(text: str) -> Level:
    """By the word it begins with, a time and a logger's name before it left aside; or by `level=`, as many programs print."""
    if found := LEADING.match(text):
        return LEVELS[(found[1] or found[2]).lower()]
    if found := SYSLOG.match(text):
        return SYSLOG_LEVELS[int(found[1])]
    found = LOGFMT.search(text)
    return LEVELS.get(found[1].lower(), "info") if found else "info"


def correlation_in(text: str) -> str:
    found = TRACEPARENT.search(text) or CORRELATION.search(text)
    return found[1] if found else ""


def fitting(text: str) -> str:
    """Text that can be kept: no half characters, no NUL, not longer than a line may be."""
    text = text.encode("utf-8", "replace").decode().replace("\0", "\ufffd")
    return text if len(text) <= LONGEST else text[: LONGEST - len(CUT)] + CUT


def _object(raw: str) -> dict[str, Any] | None:
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) and any(isinstance(found.get(key), str) for key in TEXT_KEYS) else None


def _structured(found: dict[str, Any], ours: bool) -> Told:
    key = next(key for key in TEXT_KEYS if isinstance(found.get(key), str))
    facts = {name: value for name, value in found.items() if name != key and name not in ASIDE}
    exception = facts.pop("exception", "")
    words = [str(found[key]), *(f"{name}={_word(value)}" for name, value in facts.items())]
    text = " ".join(words) + (f"\n{exception}" if exception else "")
    about = {name: str(found[name]) for name in ABOUT if isinstance(found.get(name), str)} if ours else {}
    moment = _moment(found.get("time")) if ours else None
    return Told(fitting(text), _level(found), _correlation(found), _fitting_facts(facts), about, moment)


def _word(value: Any) -> str:
    if isinstance(value, str):
        return value if PLAIN.fullmatch(value) else json.dumps(value, ensure_ascii=False)
    return json.dumps(value, ensure_ascii=False)


def _level(found: dict[str, Any]) -> Level:
    for key in LEVEL_KEYS:
        value = found.get(key)
        if isinstance(value, str) and value.lower() in LEVELS:
            return LEVELS[value.lower()]
        if isinstance(value, int) and not isinstance(value, bool) and value >= 10:  # pino's and Python's numbers
            return "debug" if value < 20 else "info" if value < 40 else "warning" if value < 50 else "error"
    return "error" if "exception" in found else "info"


def _correlation(found: dict[str, Any]) -> str:
    for key in CORRELATION_KEYS:
        value = found.get(key)
        if isinstance(value, str) and (TRACE.fullmatch(value) or TRACEPARENT.fullmatch(value)):
            return value if len(value) == 32 else value[3:35]
    return ""


def _fitting_facts(facts: dict[str, Any]) -> dict[str, Any]:
    """Facts that can be kept; those of a line that is too long, or that no database takes, stand in its text alone."""
    try:
        text = json.dumps(facts, ensure_ascii=False, allow_nan=False)
        text.encode()
    except (ValueError, RecursionError):
        return {}
    return {} if len(text) > LONGEST or "\\u0000" in text else facts


def _moment(text: Any) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except (ValueError, TypeError):
        return None
    return moment if moment.tzinfo else None


class Listening:
    """One stream of one container: the lines of a Python traceback are errors until the one that names the exception."""

    def __init__(self, ours: bool) -> None:
        self._ours, self._in_traceback = ours, False

    def hear(self, raw: str) -> Told:
        heard = told(raw, self._ours)
        begins = raw.startswith(TRACEBACK)
        if not (begins or self._in_traceback):
            return heard
        self._in_traceback = begins or raw.startswith((" ", "\t")) or not raw.strip()
        return Told(heard.text, "error", heard.correlation) if not heard.facts else heard
