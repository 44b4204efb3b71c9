"""What a manifest may say that this version does not act on yet, so that it is refused and not ignored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from contracts.errors import Problem
from contracts.manifest_yaml import Path, dotted

if TYPE_CHECKING:
    from contracts.manifest import Manifest

NOT_YET: tuple[tuple[str, str], ...] = (
    ("services.*.storage", "storage that is kept over generations"),
    ("services.*.scale", "scaling by load"),
    ("services.*.secrets", "secrets per deployment"),
    ("services.*.health.heartbeat", "health by the SDK's heartbeat"),
    ("services.*.needs", "waiting for another service of the app"),
    ("release", "a command before traffic moves"),
    ("rollout.step", "changing several instances at a time"),
    ("rollout.canary", "a canary"),
    ("rollout.errors", "going back by the share of errors"),
    ("egress", "a way out to other than the platform"),
    ("actuators", "binding actuators"),
    ("workflows", "workflows"),
)


def unsupported(manifest: Manifest) -> tuple[Problem, ...]:
    """What the manifest uses that this version does not act on, with lines where it was read from a text."""
    said = manifest.model_dump(mode="json", exclude_defaults=True)
    used = [(path, value, what) for pattern, what in NOT_YET for path, value in _used(said, tuple(pattern.split(".")))]
    problems = [
        Problem(
            path=dotted(path),
            line=manifest.line(path),
            value=value,
            rule=f"This version does not act on {what}.",
            hint=f"Remove {dotted(path)}.",
        )
        for path, value, what in used
    ]
    return tuple(sorted(problems, key=lambda problem: problem.line or 0))


def _used(value: Any, pattern: tuple[str, ...], path: Path = ()) -> Iterator[tuple[Path, Any]]:
    if not pattern:
        if value:
            yield path, value
    elif isinstance(value, Mapping):
        for key in value if pattern[0] == "*" else {pattern[0]} & set(value):
            yield from _used(value[key], pattern[1:], (*path, key))
