"""The sentences said about a text that is not the YAML a manifest may be."""

from __future__ import annotations

from typing import Any

import yaml

from contracts.errors import Problem

NODES = 5_000
TOO_DEEP = "A manifest has at most {most} levels, and a deeper one begins here."
TOO_MANY = "A manifest has at most {most} values, aliases counted in full, and this is one more."

_HINTS = (
    ("'\\t'", "Indent with spaces, not with tabs."),
    ("alias", 'A text that begins with * needs quotes, such as where: "**".'),
    (
        "mapping values are not allowed",
        "Put quotes around a text that holds ': ', or check the indentation of this line.",
    ),
    ("could not find expected ':'", "A key is followed by ': ' and its value."),
    ("expected <block end>", "Check the indentation: keys of one level begin in the same column."),
    ("expected ',' or", "A bracket or brace opened before is not closed; close it or put a comma between its parts."),
    ("found unexpected end of stream", "A quote opened before is not closed."),
    ("cannot start any token", "A text that begins with one of @ ` % needs quotes."),
)


def quoted(value: Any) -> str:
    """What was written, as it stands in a sentence: text in quotes, long ones cut to 60 characters."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "nothing"
    if isinstance(value, list | tuple):
        return "a list"
    if isinstance(value, dict):
        return "a set of keys"
    text = str(value)
    short = text if len(text) <= 60 else text[:59] + "…"
    return short if isinstance(value, int | float) else f"'{short}'"


def syntax_problem(error: yaml.YAMLError, text: str) -> Problem:
    """The one problem of a text that YAML cannot read; nothing after that line can be judged."""
    line, reason = _place(error, text)
    said = f"{getattr(error, 'context', '') or ''} {reason}"
    hint = next((hint for part, hint in _HINTS if part in said), "Check this line and the one above it.")
    return Problem(path="", line=line, value=_line_of(text, line), rule=f"This is not YAML: {reason}.", hint=hint)


def _place(error: yaml.YAMLError, text: str) -> tuple[int, str]:
    if isinstance(error, yaml.reader.ReaderError):
        return text.count("\n", 0, error.position) + 1, "a character is not allowed here"
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    reason = getattr(error, "problem", None) or "it cannot be read"
    if "end" in reason and getattr(
        error, "context_mark", None
    ):  # the quote or bracket that was opened, not the text's end
        mark = error.context_mark  # type: ignore[attr-defined]
    return (mark.line + 1 if mark else 1), reason


def _line_of(text: str, line: int) -> str:
    lines = text.splitlines()
    shown = lines[line - 1].strip()[:200] if 0 < line <= len(lines) else ""
    return "".join(letter if letter.isprintable() else "?" for letter in shown)
