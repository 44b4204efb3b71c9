"""What a manifest may say that this version does not act on yet, so that it is refused and not ignored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from contracts.errors import Problem
from contracts.manifest_yaml import Path, dotted

if TYPE_CHECKING:
    from contracts.manifest import Manifest

NOT_YET: tuple[tuple[str, str], ...] = (
    ("services.*.storage", "Storage that is kept over generations"),
    ("services.*.scale", "Scaling by load"),
    ("services.*.secrets", "Secrets per deployment"),
    ("services.*.health.heartbeat", "Health by the SDK's heartbeat"),
    ("services.*.needs", "Waiting for another service of the app"),
    ("release", "A command before traffic moves"),
    ("rollout.step", "Changing several instances at a time"),
    ("rollout.canary", "A canary"),
    ("rollout.errors", "Going back by the share of errors"),
    ("egress", "A way out to other than the platform"),
    ("actuators", "Binding actuators"),
    ("workflows", "Workflows"),
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
            rule=f"{what} is not supported by this version.",
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
