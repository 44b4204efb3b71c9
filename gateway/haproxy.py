"""The real front door: HAProxy changed at run time through its socket, and its files written beside every change."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from contracts.errors import Unavailable
from gateway.config import with_apps
from gateway.door import Door
from gateway.files import replace
from gateway.front_door import Server, Table, checked
from gateway.runtime import Runtime
from gateway.slots import DRAIN, FREE, READY, Slot, Step, done, serving, steps


class HAProxy:
    """`door` is what haproxy.cfg was rendered from; `folder` where its folder is in this process, shared with HAProxy's container."""

    def __init__(self, door: Door, folder: Path | None = None) -> None:
        self._door, self._folder = door, folder or Path(door.folder)
        self._runtime = Runtime(self._folder / "admin.sock")
        self._routes, self._revoked = Path(door.folder) / "routes.map", Path(door.folder) / "revoked.map"
        self._draining: set[str] | None = None
        self._told: dict[str, str] | None = None
        self._spare = [f"r{n}" for n in range(1, door.routes + 1)]

    def table(self) -> Table:
        """Asked each few seconds for as long as the platform runs: of thousands of slots only those that have a path."""
        map = self._runtime.map(self._routes)
        slots = self._runtime.slots(*sorted(set(map.values()))) if map else {}
        return {path: serving(slots.get(backend, [])) for path, backend in sorted(map.items())}

    def put(self, path: str, servers: Sequence[Server]) -> None:
        path, map = checked(path), self._runtime.map(self._routes)
        backend = map.get(path) or self._free(map)
        self._set(backend, lambda slots: steps(slots, servers))
        if path not in map:
            self._runtime.tell([f"add map {self._routes} {path} {backend}"])
        self._write()

    def drop(self, path: str) -> None:
        path, map = checked(path), self._runtime.map(self._routes)
        if path in map:
            self._runtime.tell([f"del map {self._routes} {path}"])
            self._set(map[path], lambda slots: steps(slots, ()))
            self._write()

    def tend(self) -> None:
        """Looks only where something may drain; after our own start that may be anywhere."""
        if self._draining is None:
            self._draining = {b for b, slots in self._runtime.slots().items() if any(s.state == DRAIN for s in slots)}
        for backend in sorted(self._draining):
            self._set(backend, done)
            if all(s.state != DRAIN for s in self._runtime.slots(backend).get(backend, [])):
                self._draining.discard(backend)

    def revoke(self, tokens: Mapping[str, str]) -> None:
        if tokens == self._told:
            return
        there = self._runtime.map(self._revoked)
        self._runtime.tell([f"del map {self._revoked} {jti}" for jti in sorted(there.keys() - tokens.keys())])
        self._runtime.tell([f"add map {self._revoked} {jti} {tokens[jti]}" for jti in sorted(tokens.keys() - there.keys())])
        replace(self._folder / self._revoked.name, "".join(f"{jti} {tokens[jti]}\n" for jti in sorted(tokens)))
        self._told = dict(tokens)

    def _free(self, map: Mapping[str, str]) -> str:
        """A spare backend; one whose slots have all drained before one that still works something off."""
        taken, slots = set(map.values()), self._runtime.slots()
        free = [b for b in self._spare if b not in taken]
        if not free:
            raise Unavailable(f"All {len(self._spare)} routes of this installation are taken; delete a deployment or raise BERTH_ROUTES.")
        return min(free, key=lambda b: sum(s.state != FREE for s in slots.get(b, [])))

    def _set(self, backend: str, decide: Callable[[Sequence[Slot]], list[Step]]) -> None:
        slots = self._runtime.slots(backend).get(backend)
        if slots is None:
            raise Unavailable(f"HAProxy has no backend {backend}; its configuration was made for fewer routes: run `up` again.")
        taken = decide(slots)
        self._runtime.tell([c for step in taken for c in _commands(backend, step)])
        if self._draining is not None and any(step.state == DRAIN for step in taken):
            self._draining.add(backend)

    def _write(self) -> None:
        """Free slots of a restarted HAProxy are numbered anew, so only what serves is written."""
        map, slots = self._runtime.map(self._routes), self._runtime.slots()
        taken = {b: [(s.address, s.weight) for s in slots.get(b, []) if s.state == READY] for b in map.values()}
        config = self._folder / "haproxy.cfg"
        replace(config, with_apps(config.read_text(), self._door, taken))
        replace(self._folder / self._routes.name, "".join(f"{path} {backend}\n" for path, backend in sorted(map.items())))


def _commands(backend: str, step: Step) -> list[str]:
    server = f"{backend}/{step.slot}"
    commands = []
    if step.address:
        host, _, port = step.address.rpartition(":")
        commands.append(f"set server {server} addr {host} port {port}")
    if step.weight:
        commands.append(f"set server {server} weight {step.weight}")
    return [*commands, f"set server {server} state {step.state}"]
