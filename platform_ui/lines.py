"""The manifest with its problems beside its lines: what is marked, what would be right, and why. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from platform_ui.icons import Markup, escape

KEY = re.compile(r"^(?P<lead>\s*(?:- )*)(?P<key>[\w./-]+|\"[^\"]*\")(?=\s*:(?:\s|$))")
PIECE = re.compile(r"(?P<c>(?:^|(?<=\s))#.*$)|(?P<v>\"(?:[^\"\\]|\\.)*\"|'[^']*')|(?P<k>[\w./-]+(?=:(?:\s|$)))")


@dataclass(frozen=True)
class Finding:
    """One problem. `fixed` is the whole corrected line, `copy` what one would paste, `why` what to do where there is no line."""

    number: int
    path: str
    line: int | None
    value: Any
    rule: str
    why: str = ""
    copy: str = ""
    fixed: str = ""


@dataclass(frozen=True)
class Line:
    number: int
    html: Markup
    indent: int
    bad: bool = False
    fixes: tuple[tuple[Markup, int], ...] = ()
    findings: tuple[Finding, ...] = field(default=())


def findings(problems: Sequence[Mapping[str, Any]], text: str = "") -> list[Finding]:
    written = text.splitlines()
    return [_finding(n, p, written) for n, p in enumerate(problems, 1)]


def _finding(number: int, p: Mapping[str, Any], written: Sequence[str]) -> Finding:
    line, hint = p.get("line"), p.get("hint") or ""
    at = written[line - 1] if line and 0 < line <= len(written) else ""
    suggested = bool(hint) and bool(at) and not hint.endswith((".", "?"))
    return Finding(
        number, p["path"], line if at else None, p.get("value"), p["rule"],
        why="" if suggested else hint, copy=hint if suggested else "", fixed=corrected(at, p, hint) if suggested else "",
    )  # fmt: skip


def corrected(line: str, problem: Mapping[str, Any], hint: str) -> str:
    """The line with the suggestion in the place of what was written, or "" where that is not one thing to replace."""
    key, _, value = hint.partition(":")
    value = value.strip()
    last = str(problem["path"]).rsplit(".", 1)[-1]
    own = KEY.match(line)
    if own and own["key"] == key and own["key"] == last and not line[own.end() :].lstrip(": ").startswith(("{", "[", "|", ">")):
        comment = re.search(r"\s+#.*$", line)
        return f"{line[: own.end()]}: {value}{comment[0] if comment else ''}"
    inside = re.compile(rf"(?<![\w-])({re.escape(key)}\s*:\s*)(\"[^\"]*\"|'[^']*'|[^,}}\]]+)")
    if key == last and len(inside.findall(line)) == 1:
        return inside.sub(lambda found: found[1] + value, line)
    if last.isdigit() and str(problem.get("value") or "") and line.count(str(problem["value"])) == 1:
        return line.replace(str(problem["value"]), hint)
    return ""


def lines(text: str, found: Sequence[Finding]) -> list[Line]:
    by_line: dict[int, list[Finding]] = {}
    for one in found:
        if one.line:
            by_line.setdefault(one.line, []).append(one)
    made = []
    for number, line in enumerate(text.splitlines(), 1):
        mine = by_line.get(number, [])
        fixed = {f.fixed: None for f in mine if f.fixed}
        marks = [str(f.value) for f in mine if f.value not in (None, "") and isinstance(f.value, (str, int, float))]
        fixes = tuple((painted(text), indent(text)) for text in fixed)
        made.append(Line(number, painted(line, marks), indent(line), bool(mine), fixes, tuple(mine)))
    return made


def corrected_text(text: str, found: Sequence[Finding]) -> str:
    """The whole manifest, corrected; "" unless every problem has its one corrected line."""
    if not found or not all(one.fixed for one in found) or len({one.line for one in found}) < len(found):
        return ""
    fixes = {one.line: one.fixed for one in found}
    return "\n".join(fixes.get(n, line) for n, line in enumerate(text.splitlines(), 1)) + "\n"


def indent(line: str) -> int:
    return min(len(line) - len(line.lstrip(" ")), 40)


def painted(line: str, marks: Sequence[str] = ()) -> Markup:
    """Keys, texts and comments apart, and what is wrong underlined."""
    made, at = Markup(""), 0
    for piece in PIECE.finditer(line):
        made += _marked(line[at : piece.start()], marks)
        kind = piece.lastgroup
        made += Markup('<span class="{}">{}</span>').format(kind, _marked(piece[0], marks if kind != "c" else ()))
        at = piece.end()
    return made + _marked(line[at:], marks)


def _marked(text: str, marks: Sequence[str]) -> Markup:
    for mark in marks:
        before, found, after = text.rpartition(mark)
        if found:
            return Markup("{}<u>{}</u>{}").format(before, found, after)
    return escape(text)


def as_text(found: Sequence[Finding], name: str) -> str:
    """To paste into a message or an issue."""
    told = []
    for f in found:
        where = f"{name}:{f.line}" if f.line else name
        hint = f.copy or f.why
        told.append(f"{where}: {f.path}: {f.rule}" + (f" {hint}" if hint else ""))
    return "\n".join(told)
