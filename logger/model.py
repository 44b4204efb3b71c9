"""What a kept line is, how lines are ordered, which of them are asked for, and whose lines a person may see. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any

from contracts.errors import Forbidden
from contracts.lines import LEVELS, Line

Shards = Mapping[int, int]
"""Partition of the topic -> the offset of the next record."""

THEIRS = ("app", "build")
"""The kinds of lines that belong to a workspace; the others are the platform's own."""
SIGN = 1 << 63
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def number_of(source: str) -> int:
    """A signed number of 64 bits that stands for the source's name: short in every index, and known without asking."""
    return int.from_bytes(blake2b(source.encode(), digest_size=8).digest(), signed=True)


@dataclass(frozen=True, slots=True, order=True)
class Cursor:
    """A line's place in the order of all: by time, then by source and position."""

    time: datetime
    source: int
    position: int

    @property
    def text(self) -> str:
        """48 hex digits that sort as cursors do."""
        micros = (self.time - EPOCH) // timedelta(microseconds=1)
        return f"{micros + SIGN:016x}{self.source + SIGN:016x}{self.position + SIGN:016x}"

    @classmethod
    def of(cls, text: str) -> Cursor:
        """ValueError: it is none."""
        if len(text) != 48 or not text.isascii() or not text.isalnum():
            raise ValueError(text)
        micros, source, position = (int(text[n : n + 16], 16) - SIGN for n in (0, 16, 32))
        try:
            return cls(EPOCH + timedelta(microseconds=micros), source, position)
        except OverflowError as error:
            raise ValueError(text) from error


@dataclass(frozen=True, slots=True)
class Entry:
    """A line with where it stood in the topic. `facts` are JSON text, "" where there are none."""

    line: Line
    cursor: Cursor
    shard: int
    place: int
    facts: str

    @property
    def searched(self) -> str:
        """What `text` is looked for in."""
        return f"{self.line.text} {self.facts}"

    @property
    def weight(self) -> int:
        """Letters, and about as much again for what it is wrapped in."""
        return 500 + len(self.line.text) + 2 * len(self.facts)


def entry(line: Line, shard: int, place: int) -> Entry:
    facts = json.dumps(line.facts, ensure_ascii=False, separators=(",", ":")) if line.facts else ""
    return Entry(line, Cursor(line.time, number_of(line.source), line.position), shard, place, facts)


@dataclass(frozen=True, slots=True)
class Shown:
    """A kept line as it is found again: without its source's name, which its cursor's number stands for."""

    cursor: Cursor
    shard: int
    place: int
    kind: str
    level: int
    text: str
    workspace: str = ""
    app: str = ""
    deployment: str = ""
    generation: int = 0
    release: str = ""
    service: str = ""
    instance: str = ""
    node: str = ""
    correlation: str = ""
    facts: str = ""

    def as_json(self) -> dict[str, Any]:
        time = self.cursor.time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        return {
            "id": self.cursor.text, "time": time, "kind": self.kind, "level": LEVELS[self.level], "text": self.text,
            "workspace": self.workspace, "app": self.app, "deployment": self.deployment, "generation": self.generation,
            "release": self.release, "service": self.service, "instance": self.instance, "node": self.node,
            "correlation": self.correlation, "facts": json.loads(self.facts) if self.facts else {},
        }  # fmt: skip


def shown(one: Entry) -> Shown:
    line = one.line
    return Shown(
        one.cursor, one.shard, one.place, line.kind, LEVELS.index(line.level), line.text, line.workspace, line.app, line.deployment,
        line.generation, line.release, line.service, line.instance, line.node, line.correlation, one.facts,
    )  # fmt: skip


@dataclass(frozen=True)
class Filter:
    """Which lines. None or "" does not choose; `workspaces` and `kinds` are also what the asker may see at all.

    level: this (as a number) and worse. service: also all roles of a subsystem of that name. text: contained in the
    text or the facts, small letters and capitals alike. since <= time < until.
    """

    workspaces: tuple[str, ...] | None = None
    kinds: tuple[str, ...] | None = None
    exact: Mapping[str, str] = field(default_factory=dict)
    service: str = ""
    level: int = 0
    text: str = ""
    since: datetime | None = None
    until: datetime | None = None

    def takes(self, one: Entry) -> bool:
        line = one.line
        return (
            (self.workspaces is None or line.workspace in self.workspaces)
            and (self.kinds is None or line.kind in self.kinds)
            and (not self.level or LEVELS.index(line.level) >= self.level)
            and all(getattr(line, name) == value for name, value in self.exact.items())
            and (not self.service or line.service == self.service or line.service.startswith(f"{self.service}."))
            and (self.since is None or line.time >= self.since)
            and (self.until is None or line.time < self.until)
            and (not self.text or self.text.lower() in one.searched.lower())
        )


@dataclass(frozen=True)
class Allowed:
    """None: of any workspace, of any kind."""

    workspaces: tuple[str, ...] | None
    kinds: tuple[str, ...] | None


def allowed(readable: list[str] | None, workspace: str = "", kind: str = "") -> Allowed:
    """`readable` are the asker's workspaces, None for staff, who see all there is, also what belongs to no workspace.

    Everybody else sees lines of apps and builds in workspaces that they may read; a workspace or a kind that is asked
    for narrows that and never widens it. Forbidden: it lies outside.
    """
    if readable is None:
        return Allowed((workspace,) if workspace else None, (kind,) if kind else None)
    if kind and kind not in THEIRS:
        raise Forbidden(f"Lines of kind {kind} are the platform's own: admins and operators see them. Yours are of kind app and build.")
    if workspace and workspace not in readable:
        raise Forbidden(f"You may not read in workspace {workspace}; GET /api/v1/workspaces lists yours.")
    mine = tuple(name for name in readable if name)
    return Allowed((workspace,) if workspace else mine, (kind,) if kind else THEIRS)
