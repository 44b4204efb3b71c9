"""Turns the text of a manifest into plain values that know their lines, and lets no YAML trick through.

Scalars follow YAML 1.2's core schema, so that `no` and `10:30` stay the text they look like; PyYAML gives the events.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from contracts.errors import Problem
from contracts.manifest_yaml_words import NODES, TOO_DEEP, TOO_MANY, quoted, syntax_problem

BYTES = 256 * 1024
DEPTH = 20
Path = tuple[str | int, ...]

_WORDS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_NULLS = {"", "~", "null", "Null", "NULL"}
_INT = re.compile(r"[-+]?[0-9]{1,18}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]{1,18}|[0-9]{1,18}(\.[0-9]{0,18})?)([eE][-+]?[0-9]{1,2})?")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


@dataclass
class Written:
    """What was written: plain values, the 1-based line of each path, and the problems of the YAML itself."""

    value: Any = None
    lines: dict[Path, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def line(self, path: Path) -> int | None:
        """The line of a path, or of the nearest part above it that was written."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path)


@dataclass(frozen=True)
class Found:
    """A broken rule at a path and what stands there; a hint that does not end in . or ? is a corrected line."""

    path: Path
    value: Any
    rule: str
    hint: str


def dotted(path: Path) -> str:
    return ".".join(str(part) for part in path)


def replaced(value: Any, path: Path, new: Any) -> Any:
    """The value with `new` at the path; what lies beside the path is shared, nothing is changed."""
    if not path:
        return new
    if isinstance(value, list) and isinstance(path[0], int):
        return [replaced(inner, path[1:], new) if index == path[0] else inner for index, inner in enumerate(value)]
    if not isinstance(value, dict):
        return value
    return {**value, path[0]: replaced(value.get(str(path[0])), path[1:], new)}


def never(_path: Path) -> bool:
    return False


def resolve(text: str) -> Any:
    """The value of a plain (unquoted) scalar: None, bool, int, float or the text itself."""
    if text in _NULLS:
        return None
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text


def read_yaml(text: str, text_at: Callable[[Path], bool] = never, null_at: Callable[[Path], bool] = never) -> Written:
    """Reads one YAML document of at most 256 KiB, 20 levels and 5,000 nodes, aliases counted at full length.

    Where text_at says so a scalar stays the text it is written as (a version 1.10); a value may be empty only where
    null_at says so. Never raises: what is wrong stands in `.problems`, and what could be read in `.value`.
    """
    written = Written()
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > BYTES:
        written.problems.append(
            Problem(
                path="",
                value=size,
                rule=f"A manifest has at most {BYTES} bytes, not {size}.",
                hint="Keep data in files of its own beside the manifest.",
            )
        )
        return written
    try:
        written.value = _Reader(text, written, text_at, null_at).document()
    except yaml.YAMLError as error:
        written.problems.append(syntax_problem(error, text))
    except _Stopped:
        written.value = None
    return written


class _Stopped(Exception):
    """Reading on makes no sense; the reason is already among the problems."""


class _Reader:
    def __init__(
        self, text: str, written: Written, text_at: Callable[[Path], bool], null_at: Callable[[Path], bool]
    ) -> None:
        self.events: Iterator[Any] = yaml.parse(text, Loader=yaml.SafeLoader)
        self.written, self.text_at, self.null_at = written, text_at, null_at
        self.anchors: dict[str, tuple[Any, int]] = {}
        self.nodes = 0

    def document(self) -> Any:
        value: Any = None
        seen = False
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent):
                if seen:
                    self.stop(
                        (), event, "A manifest is one YAML document, and a second begins here.", "Remove the line ---."
                    )
                seen, value = True, self.node(next(self.events), ())
        if value is None and not self.written.problems:
            self.say((), 1, None, "The manifest is empty.", "Begin with 'berth: 1', a name and a service.")
        return value

    def say(self, path: Path, line: int, value: Any, rule: str, hint: str) -> None:
        self.written.problems.append(Problem(path=dotted(path), line=line, value=value, rule=rule, hint=hint))

    def stop(self, path: Path, event: Any, rule: str, hint: str) -> None:
        self.say(path, event.start_mark.line + 1, None, rule, hint)
        raise _Stopped

    def node(self, event: Any, path: Path) -> Any:
        line = event.start_mark.line + 1
        self.written.lines.setdefault(path, line)
        if len(path) > DEPTH:
            self.stop(
                path, event, TOO_DEEP.format(most=DEPTH), "Nothing in a manifest needs that; remove the inner levels."
            )
        if isinstance(event, yaml.AliasEvent):
            return self.alias(event, path)
        if event.tag is not None:
            self.say(
                path,
                line,
                event.tag,
                f"A manifest has no YAML tags, and {quoted(event.tag)} is one.",
                "Remove the tag.",
            )
        before = self.nodes
        self.count(1, event, path)
        if isinstance(event, yaml.ScalarEvent):
            value = self.scalar(event, path, line)
        elif isinstance(event, yaml.SequenceStartEvent):
            value = self.sequence(path)
        else:
            value = self.mapping(path)
        if event.anchor is not None:
            self.anchors[event.anchor] = (value, self.nodes - before)
        return value

    def count(self, more: int, event: Any, path: Path) -> None:
        self.nodes += more
        if self.nodes > NODES:
            self.stop(path, event, TOO_MANY.format(most=NODES), "Write less here, or fewer aliases of aliases.")

    def alias(self, event: Any, path: Path) -> Any:
        if event.anchor not in self.anchors:
            self.stop(
                path,
                event,
                f"No finished anchor is called {quoted('&' + event.anchor)} before this line.",
                f'A text that begins with * needs quotes: "*{event.anchor}".',
            )
        value, size = self.anchors[event.anchor]
        self.count(size, event, path)
        return value

    def scalar(self, event: Any, path: Path, line: int) -> Any:
        text: str = event.value
        if _CONTROL.search(text):
            self.say(path, line, None, f"{quoted(dotted(path))} holds a control character.", "Write it without.")
            return _CONTROL.sub(" ", text)
        value = text if event.style is not None else resolve(text)
        return value if value is None or not self.text_at(path) else text

    def sequence(self, path: Path) -> list[Any]:
        values: list[Any] = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            here = (*path, len(values))
            value = self.node(event, here)
            if value is None and not self.null_at(here):
                self.empty(here, event.start_mark.line + 1)
            else:
                values.append(value)
        return values

    def mapping(self, path: Path) -> dict[str, Any]:
        values: dict[str, Any] = {}
        first: dict[str, int] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            line = event.start_mark.line + 1
            if not isinstance(event, yaml.ScalarEvent):
                self.stop(
                    path, event, "A key is a plain word, not a list, a mapping or an alias.", "Write the key out."
                )
            here = (*path, event.value)
            if event.value in first:
                self.say(
                    here,
                    line,
                    event.value,
                    f"The key {quoted(event.value)} is written twice; it stands in line {first[event.value]} already.",
                    "Keep one of the two.",
                )
            following = next(self.events)
            if not isinstance(following, yaml.ScalarEvent):
                self.written.lines.setdefault(here, line)
            value = self.node(following, here)
            if event.value in first:
                continue
            first[event.value] = line
            if value is None and not self.null_at(here):
                self.empty(here, line)
            else:
                values[event.value] = value
        return values

    def empty(self, path: Path, line: int) -> None:
        self.say(path, line, None, f"{quoted(path[-1])} has no value.", "Write one after it, or remove the line.")
