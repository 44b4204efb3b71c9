"""What is done with an upload: the zip's rules, the manifest's, and what this version of the platform does not act on yet."""

from __future__ import annotations

from collections.abc import Collection
from typing import BinaryIO

from app_controller.plan import MOST_INSTANCES
from contracts import archive
from contracts.errors import Invalid, Problem
from contracts.manifest import FILE, Manifest, read_manifest, unsupported


class ManifestInvalid(Invalid):
    """Carries the manifest's text, so that a page can show the problems beside their lines."""

    def __init__(self, error: Invalid, text: str) -> None:
        super().__init__(error.detail, error.problems)
        self.text = text


def read(file: BinaryIO, kinds: Collection[str] | None) -> tuple[Manifest, str]:
    """The manifest of a sound zip, and its text. Invalid: every problem of the zip, or else every problem of its manifest."""
    found = archive.inspect(file)
    text = archive.read_text(found, FILE)
    names = [entry.name for entry in found.entries]
    try:
        manifest = read_manifest(text, files=names, kinds=kinds)
    except Invalid as error:
        raise ManifestInvalid(error, text) from error
    problems = [*unsupported(manifest), *_without_command(manifest), *_too_many(manifest)]
    if problems:
        said = "1 thing" if len(problems) == 1 else f"{len(problems)} things"
        raise ManifestInvalid(Invalid(f"{FILE} asks for {said} that cannot be done.", problems), text)
    return manifest, text


def _too_many(manifest: Manifest) -> list[Problem]:
    return [
        Problem(
            path=f"services.{name}.instances",
            line=manifest.line(("services", name, "instances")),
            value=service.instances,
            rule=f"A service has at most {MOST_INSTANCES} instances on this installation.",
            hint=f"instances: {MOST_INSTANCES}",
        )
        for name, service in manifest.services.items()
        if service.instances > MOST_INSTANCES
    ]


def _without_command(manifest: Manifest) -> list[Problem]:
    return [
        Problem(
            path=f"services.{name}.command",
            line=manifest.line(("services", name)),
            rule=f"The service '{name}' has no command.",
            hint="command: python app.py",
        )
        for name, service in manifest.services.items()
        if not service.command
    ]
