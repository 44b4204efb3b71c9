"""The manifest `berth.yml`: its model, and how a text of it is read with every problem at once."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, PrivateAttr, ValidationError
from pydantic import Tag as Branch

from contracts.errors import Invalid, Problem
from contracts.manifest_flows import flows
from contracts.manifest_found import Given
from contracts.manifest_given import against
from contracts.manifest_parts import ActuatorNeed, ReleaseStep, Rollout, SensorNeed, Workflow
from contracts.manifest_rules import between
from contracts.manifest_service import Part, Service
from contracts.manifest_support import unsupported as unsupported
from contracts.manifest_texts import Host, Label, Name, Tag, Version
from contracts.manifest_words import refused
from contracts.manifest_yaml import Found, Path, Written, dotted, read_yaml, replaced

FILE = "berth.yml"
SHOWN = 100
TRIED = 20
Egress = Annotated[
    Annotated[Literal["platform", "internet"], Branch("#word")]
    | Annotated[tuple[Host, ...], Field(strict=False, min_length=1, max_length=100), Branch("#hosts")],
    Discriminator(lambda value: "#hosts" if isinstance(value, list | tuple) else "#word"),
]


class Manifest(Part):
    """What an app is, what it needs and how it is released. Seconds, bytes, and shares from 0 to 1.

    `read_manifest` also checks the rules between keys; building the model alone checks each value.
    """

    berth: Literal[1] = Field(description="The version of this format.", examples=[1])
    name: Name = Field(
        description="The app's name, unique in its workspace and part of its link.", examples=["comfort"]
    )
    version: Version = Field(description="The release's version, in any scheme.", examples=["1.2.0"])
    tags: Annotated[tuple[Tag, ...], Field(strict=False)] = Field(
        default=(), max_length=20, description="Words to find the app by.", examples=[["comfort", "heating"]]
    )
    services: dict[Name, Service] = Field(
        min_length=1,
        max_length=20,
        description="The app's processes, by name.",
        examples=[{"web": {"runtime": "python", "command": "python app.py"}}],
    )
    release: ReleaseStep | None = Field(
        default=None,
        description="A one-off command before traffic moves.",
        examples=[{"service": "web", "command": "python migrate.py"}],
    )
    rollout: Rollout = Field(default=Rollout(), description="How a new generation takes over.", examples=[{"step": 1}])
    egress: Egress = Field(
        default="platform",
        description="Where the app may connect to: platform, internet, or a list of hosts.",
        examples=["platform"],
    )
    sensors: dict[Label, SensorNeed] = Field(
        default={},
        max_length=100,
        description="The sensors it needs, by the name the app uses.",
        examples=[{"temperature": {"kind": "temperature", "where": "hq/**"}}],
    )
    actuators: dict[Label, ActuatorNeed] = Field(
        default={},
        max_length=100,
        description="The actuators it needs, by the name the app uses.",
        examples=[{"heater": {"kind": "heater", "where": "hq/**"}}],
    )
    workflows: dict[Label, Workflow] = Field(
        default={},
        max_length=50,
        description="Graphs of calls to its services, by name.",
        examples=[{"evening": {"steps": {"measure": {"service": "web", "call": "POST /measure"}}}}],
    )

    _written: Written = PrivateAttr(default_factory=Written)

    def line(self, path: Path) -> int | None:
        """The 1-based line in berth.yml of a path like ("services", "web", "port"); None if not read from a text."""
        return self._written.line(path)

    def __eq__(self, other: object) -> bool:
        """By content: where the lines were is no difference."""
        return isinstance(other, Manifest) and self.model_dump() == other.model_dump()

    __hash__ = None  # type: ignore[assignment]  # as the mappings within have none


def read_manifest(
    text: str,
    files: Collection[str] | None = None,
    kinds: Collection[str] | None = None,
    runtimes: Collection[str] = ("python",),
) -> Manifest:
    """Reads berth.yml. `files` are the zip's file names, `kinds` the workspace's, None where they are not known.

    Raises Invalid with every problem (at most 100), by line.
    """
    given = Given(files, kinds, runtimes)
    written = read_yaml(text, text_at=_is_text, null_at=_may_be_empty)
    problems = list(written.problems)
    manifest = None
    if written.value is not None:
        manifest, broken = _judge(written.value, given)
        problems += _said(broken, written, given)
    problems = sorted(problems, key=lambda problem: problem.line or 0)
    if manifest is None or problems:
        said = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        raise Invalid(f"{FILE} has {said}.", problems[:SHOWN])
    manifest._written = written
    return manifest


def _judge(value: Any, given: Given) -> tuple[Manifest | None, list[Found]]:
    """The manifest, and every broken rule: what is not there, what does not fit together, what is no such value."""
    broken = [*against(value, given), *between(value), *flows(value)]
    try:
        return Manifest.model_validate(value), broken
    except ValidationError as error:
        return None, [*broken, *refused(error, Manifest)]


def _said(broken: list[Found], written: Written, given: Given) -> list[Problem]:
    """For each place what was found first; a corrected line only where it passes (tried for the first 20)."""
    first: dict[Path, Found] = {}
    known = {(problem.path, problem.line) for problem in written.problems}
    for one in broken:
        if (dotted(one.path), written.line(one.path)) not in known:
            first.setdefault(one.path, one)
    hints = [
        "" if index < TRIED and _is_line(one) and not _passes(one, written.value, given) else one.hint
        for index, one in enumerate(first.values())
    ]
    return [
        Problem(path=dotted(one.path), line=written.line(one.path), value=one.value, rule=one.rule, hint=hint)
        for one, hint in zip(first.values(), hints, strict=True)
    ]


def _is_line(one: Found) -> bool:
    return bool(one.hint) and bool(one.path) and not one.hint.endswith((".", "?"))


def _passes(one: Found, value: Any, given: Given) -> bool:
    key = one.path[-1]
    line = one.hint if isinstance(key, str) else f"{key}: {one.hint}"
    fixed = read_yaml(line, text_at=lambda _path: _is_text(one.path)).value
    if not isinstance(fixed, dict) or str(key) not in fixed:
        return False
    return all(other.path != one.path for other in _judge(replaced(value, one.path, fixed[str(key)]), given)[1])


def _is_text(path: Path) -> bool:
    """Where 1.10 or yes stay as they are written."""
    return path == ("version",) or (len(path) == 4 and path[0] == "services" and path[2] == "environment")


def _may_be_empty(path: Path) -> bool:
    return len(path) > 5 and path[0] == "workflows" and path[4] == "with"
