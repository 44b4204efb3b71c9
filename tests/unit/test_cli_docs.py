"""docs/cli.md names every verb, and every verb speaks JSON."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer

from cli.verbs import app

PAGE = Path(__file__).parents[2] / "docs" / "cli.md"
HANDED_ON = {"device", "simulate", "test", "bench"}
"""Their arguments are another program's."""


def verbs() -> dict[str, typer.core.TyperCommand | typer.core.TyperGroup]:
    found = {}
    for name, command in typer.main.get_command(app).commands.items():  # type: ignore[attr-defined]
        found[name] = command
        found |= {f"{name} {inner}": one for inner, one in getattr(command, "commands", {}).items()}
    return found


def test_the_tables_of_verbs_are_true() -> None:
    told = re.findall(r"(?m)^\| `([a-z -]+)` \|", PAGE.read_text())
    assert sorted(told) == sorted(verbs())


@pytest.mark.parametrize("name", sorted(set(verbs()) - HANDED_ON))
def test_every_verb_has_json_and_a_sentence(name: str) -> None:
    command = verbs()[name]
    assert any("--json" in parameter.opts for parameter in command.params)
    assert command.help and command.help[0].isupper() | command.help.startswith("`")
