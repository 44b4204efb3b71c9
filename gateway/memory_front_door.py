"""The front door's twin: the same table, and answers to requests by asking the instances' twin."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from contracts.errors import Unavailable
from gateway.front_door import Server, Table, checked

Answer = tuple[int, dict[str, str], bytes]
Ask = Callable[[str, str, str], Answer | None]
"""(address, method, path) -> status, headers, body; None where nobody listens there."""


class MemoryFrontDoor:
    """`away` makes every verb Unavailable; what was put stays, as HAProxy's files do."""

    def __init__(self, ask: Ask | None = None, routes: int = 250, slots: int = 8) -> None:
        self._ask, self._most, self._slots = ask, routes, slots
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
        link = "/".join(path.split("?")[0].split("/")[:3])
        if link + "/" not in self._table:
            return 404, {"content-type": "text/html"}, b"No app answers here"
        if path.split("?")[0] == link:
            return 308, {"location": path.replace(link, link + "/", 1)}, b""
        servers = sorted(self._table[link + "/"])
        for _ in servers:
            turn = self._turn[link] = self._turn.get(link, -1) + 1
            answer = self._ask(servers[turn % len(servers)].address, method, path[len(link) :]) if self._ask else None
            if answer is not None:
                return answer
        return 503, {"content-type": "text/html"}, b"This app does not answer now"

    def _here(self) -> None:
        if self.away:
            raise Unavailable("HAProxy is away.")
