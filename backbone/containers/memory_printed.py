"""The printed lines' memory twin: what the instances of the twin said, a mark is how many lines stand before it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from backbone.containers import Machine, labelled
from backbone.containers.memory_app import Instance
from backbone.containers.printed import Mark, Piece, Printer, Spoken, Tail


class World(Protocol):
    instances: dict[str, Instance]


class MemoryPrinted:
    """A test lets lines be lost by taking them out at the front of `printed` and counting them in `gone`."""

    def __init__(self, world: World, machine: Machine) -> None:
        self._world, self._machine = world, machine

    def printers(self, labels: Mapping[str, str]) -> list[Printer]:
        return [
            Printer(f"c-{one.id}", one.spec.name, one.spec.labels, one.id, one.ended is not None)
            for one in self._world.instances.values()
            if one.node == self._machine and labelled(one.spec.labels, labels)
        ]

    def follow(self, printer: Printer, mark: Mark | None) -> Tail | None:
        one = self._world.instances.get(printer.task)
        return MemoryTail(one, mark) if one else None


class MemoryTail:
    def __init__(self, one: Instance, mark: Mark | None) -> None:
        self._one, self._at, self._lost = one, 0, 0
        self.back(mark)

    def read(self, most: int) -> list[Piece]:
        pieces: list[Piece] = []
        while most > 0 and self._at - self._one.gone < len(self._one.printed):
            spoken, at = self._one.printed[self._at - self._one.gone], Mark(0, self._at)
            if self._lost:
                pieces.append(Piece(Mark(0, self._at - 1), at, spoken.time, "err", "", True, self._lost))
                self._lost = 0
            self._at += 1
            most -= len(spoken.text)
            pieces.append(self._piece(spoken, at))
        return pieces

    def look(self) -> None:
        """Its instance is held, whatever becomes of it."""

    def back(self, mark: Mark | None) -> None:
        """Of lines that are gone nobody knows the length any more: they count as one byte each."""
        at = mark.offset if mark else self._one.gone
        self._lost = max(0, self._one.gone - at)
        self._at = max(at, self._one.gone)

    def let_go(self, mark: Mark) -> None:
        pass

    def close(self) -> None:
        pass

    def _piece(self, spoken: Spoken, at: Mark) -> Piece:
        return Piece(at, Mark(0, self._at), spoken.time, spoken.stream, spoken.text, spoken.ends)
