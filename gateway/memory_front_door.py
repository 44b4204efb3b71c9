"""The front door's twin: the same table, and answers to requests by asking the instances' twin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from backbone.containers.memory_app import Answer
from contracts.errors import Unavailable
from gateway.front_door import Server, Table, checked


class Instances(Protocol):
    """The part of the containers' twin that answers requests."""

    def answer(self, address: str, method: str = "GET", path: str = "/") -> Answer:
        """Unavailable: nobody listens there."""


HTML = {"content-type": "text/html; charset=utf-8"}


class MemoryFrontDoor:
    """`away` makes every verb Unavailable; what was put stays, as HAProxy's files do."""

    def __init__(self, instances: Instances | None = None, routes: int = 250, slots: int = 8) -> None:
        self._instances, self._most, self._slots = instances, routes, slots
        self._table: Table = {}
        self._turn: dict[str, int] = {}
        self.revoked: dict[str, str] = {}
        self.away = False

    def table(self) -> Table:
        self._here()
        return {path: tuple(sorted(servers)) for path, servers in sorted(self._table.items())}

    def routes(self) -> dict[str, list[str]]:
        """Path -> addresses, as tests like to see it."""
        return {path: [s.address for s in servers] for path, servers in self.table().items()}

    def put(self, path: str, servers: Sequence[Server]) -> None:
        self._here()
        path = checked(path)
        if path not in self._table and len(self._table) >= self._most:
            raise Unavailable(f"All {self._most} routes of this installation are taken.")
        self._table[path] = tuple(servers[: self._slots])

    def drop(self, path: str) -> None:
        self._here()
        self._table.pop(checked(path), None)

    def tend(self) -> None:
        self._here()

    def revoke(self, tokens: Mapping[str, str]) -> None:
        self._here()
        self.revoked = dict(tokens)

    def answer(self, path: str, method: str = "GET") -> Answer:
        """What a browser gets: 308 without the last slash, 404 for no route, 503 where none of its servers answers."""
        bare, mark, query = path.partition("?")
        link, rest = "/".join(bare.split("/")[:3]), "/" + "/".join(bare.split("/")[3:])
        if link + "/" not in self._table:
            return Answer(404, HTML, b"No app answers here")
        if bare == link:
            return Answer(308, {"location": link + "/" + mark + query}, b"")
        servers = self.table()[link + "/"]
        for _ in servers:
            turn = self._turn[link] = self._turn.get(link, -1) + 1
            try:
                if self._instances:
                    return self._instances.answer(servers[turn % len(servers)].address, method, rest + mark + query)
            except Unavailable:
                continue
        return Answer(503, HTML, b"This app does not answer now")

    def _here(self) -> None:
        if self.away:
            raise Unavailable("HAProxy is away.")
