"""Puts all verbs together."""

from __future__ import annotations

import typer

from cli import local

app = typer.Typer(
    no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False, help="Berth: a zip becomes an app behind one link."
)
local.add(app)
