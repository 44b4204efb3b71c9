"""What a subsystem stands on: every port, opened when it is first used, from the environment or from memory twins."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from backbone.backing import Question
from backbone.blobs import Blobs
from backbone.bus import Bus
from backbone.clock import Clock, SystemClock
from backbone.directory import Directory
from backbone.documents import Declared, Home
from backbone.kept import Kept, Outbox, extended
from backbone.peers import Peers
from backbone.settings import Settings
from backbone.tokens import Checker
from backbone.wrapping import Said, Wrapper


@dataclass
class Parts:
    """How each port is opened. `from_environment` opens the real ones, the memory platform its twins."""

    bus: Callable[[], Bus]
    documents: Callable[[], Home]
    blobs: Callable[[], Blobs]
    directory: Callable[[], Directory]
    peers: Callable[[], Peers]
    records: Callable[[], Any]
    tables: Callable[[], Any]
    containers: Callable[[], Any]
    questions: Callable[[], Mapping[str, Question]] = dict
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass
class Backbone:
    """`name` and `role` say which subsystem this is; `replica` is its Swarm task's id, `incarnation` this process's start."""

    name: str
    role: str
    settings: Settings
    clock: Clock
    parts: Parts
    replica: str = ""
    node: str = ""
    incarnation: str = ""

    def __post_init__(self) -> None:
        self.incarnation = self.incarnation or self.clock.new_id()
        self.replica = self.replica or self.incarnation
        self.wrapper = Wrapper(self.clock, self.source)
        self.outbox = Outbox(self._send)
        self._kept: dict[str, Kept] = {}

    @property
    def source(self) -> str:
        return f"{self.name}.{self.role}" if self.role else self.name

    @property
    def installation(self) -> str:
        return self.settings.text("BERTH_INSTALLATION", "berth")

    @cached_property
    def bus(self) -> Bus:
        return self.parts.bus()

    @cached_property
    def documents(self) -> Home:
        return self.parts.documents()

    @cached_property
    def blobs(self) -> Blobs:
        return self.parts.blobs()

    @cached_property
    def directory(self) -> Directory:
        return self.parts.directory()

    @cached_property
    def peers(self) -> Peers:
        return self.parts.peers()

    @cached_property
    def records(self) -> Any:
        return self.parts.records()

    @cached_property
    def tables(self) -> Any:
        return self.parts.tables()

    @cached_property
    def containers(self) -> Any:
        return self.parts.containers()

    @cached_property
    def tokens(self) -> Checker:
        """Reads keys and revocations from the bus; `tokens.catch_up()` before serving."""
        return Checker(self.clock, self.installation, self.bus)

    @cached_property
    def backing(self) -> Mapping[str, Question]:
        """Each backing service by its name, and the question that it answers where it is there."""
        return {
            "kafka": lambda: self.bus.ready(),
            "mongo" if self.settings.has("MONGO_URL") else "postgres": lambda: self.documents.ready(),
            "azurite": lambda: self.blobs.ready(),
            "slapd": lambda: self.directory.ready(),
            **self.parts.questions(),
        }

    def kept(self, declared: Declared) -> Kept:
        """One per collection and process: what it leaves unsaid is sent by this process's outbox."""
        if declared.name not in self._kept:
            documents = self.documents.collection(extended(declared))
            self._kept[declared.name] = Kept(declared, documents, self.outbox, self.wrapper)
        return self._kept[declared.name]

    def _send(self, said: Any) -> None:
        messages: list[Said] = list(said)
        self.bus.send([(s.topic, s.key, s.envelope) for s in messages])

    @classmethod
    def from_environment(cls, name: str, role: str = "") -> Backbone:
        """Settings are read once; a missing one is said when its port is opened, all of a port's together."""
        from backbone.real import real_parts

        settings, clock = Settings.from_environment(), SystemClock()
        return cls(
            name=name,
            role=role,
            settings=settings,
            clock=clock,
            parts=real_parts(settings, clock, name),
            replica=settings.text("BERTH_REPLICA", ""),
            node=settings.text("BERTH_NODE", ""),
        )
