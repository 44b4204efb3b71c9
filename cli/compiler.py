"""Problems shown as a compiler does: the line, a caret under what is wrong, the rule and the hint."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from rich.text import Text

from cli.failure import Failure
from cli.show import console, plain

FILE = "berth.yml"


def show(failure: Failure) -> None:
    """On standard error: the sentence, every problem, what to do, and the id under which the logs tell more."""
    out = console(error=True)
    out.print(Text.assemble(("error: ", "bold red"), plain(failure.detail)), soft_wrap=True)
    lines = str(failure.problem.get("manifest") or "").splitlines()
    for problem in failure.problem.get("errors") or []:
        for text in told(problem, lines):
            out.print(text, soft_wrap=True)
    if failure.hint:
        out.print(Text.assemble(("  next: ", "cyan"), plain(failure.hint)), soft_wrap=True)
    if failure.correlation:
        out.print(Text(f"  correlation id: {plain(failure.correlation)}", "dim"), soft_wrap=True)


def told(problem: dict[str, Any], lines: list[str]) -> Iterator[Text]:
    number, path = problem.get("line"), plain(problem.get("path", ""))
    written = lines[number - 1] if number and number <= len(lines) else None
    yield Text()
    yield Text.assemble(("error: ", "bold red"), (plain(problem["rule"]), "bold"))
    where = f"{FILE}:{number} ({path})" if written is not None else f"{path}:{number}" if number else path
    pad = " " * len(str(number or ""))
    yield Text.assemble((f"{pad} --> ", "blue"), where)
    if written is not None:
        start, length = place(written, path, problem.get("value"))
        yield Text.assemble((f"{number} | ", "blue"), plain(written))
        yield Text.assemble((f"{pad} | ", "blue"), " " * start, ("^" * length, "bold red"))
    if hint := problem.get("hint"):
        yield Text.assemble((f"{pad} = ", "blue"), ("hint: ", "cyan"), plain(hint))


def place(line: str, path: str, value: Any) -> tuple[int, int]:
    """Where in the line the caret stands, and how long it is: the value where it is found, else its key, else all."""
    code = re.sub(r"\s+#.*$", "", line)
    key = re.split(r"[.\[]", path)[-1].rstrip("]")
    after = found.end() if (found := re.search(rf"(?<![\w-]){re.escape(key)}['\"]?\s*:", code)) and key else 0
    for text in (str(value).lower() if isinstance(value, bool) else str(value),) if isinstance(value, str | int | float) else ():
        at = code.find(text, after) if text else -1
        if at >= 0:
            return at, len(text)
    if found and key:
        return found.start(), len(key)
    stripped = code.lstrip()
    return len(code) - len(stripped), max(1, len(stripped.rstrip()))
