"""Options that many verbs share, each said once."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.failure import Failure

At = Annotated[str, typer.Option("--at", help="Another platform: an address logged in to, or an installation of this machine by name.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
Workspace = Annotated[str, typer.Option("--workspace", "-w", help="Another workspace than your own.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Wait = Annotated[bool, typer.Option("--wait/--no-wait", help="Follow it until it is done, or return at once.")]


def pairs(given: list[str] | None, option: str, example: str) -> dict[str, str]:
    """key=value, several times."""
    found: dict[str, str] = {}
    for one in given or []:
        key, equals, value = one.partition("=")
        if not equals or not key:
            raise Failure(f"{option} {one} is no key=value.".lstrip(), f"For example: {option} {example}", code=2)
        found[key] = value
    return found


def counts(given: list[str] | None, option: str = "--instances", example: str = "web=2") -> dict[str, int]:
    found = pairs(given, option, example)
    for service, count in found.items():
        if not count.isdigit():
            raise Failure(f"{option} {service}={count} is no number.".lstrip(), f"For example: {option} {example}", code=2)
    return {service: int(count) for service, count in found.items()}
