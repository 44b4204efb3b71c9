"""How a route's slots become what is wanted: pure steps, new servers in before old ones out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.front_door import Server

READY, DRAIN, FREE = "ready", "drain", "maint"


@dataclass(frozen=True)
class Slot:
    """One server line of a backend. `state` is the word HAProxy takes and gives; `sessions` are those it still has."""

    name: str
    address: str
    weight: int
    state: str
    sessions: int = 0


@dataclass(frozen=True)
class Step:
    """Set this slot so. `address` "" leaves what is there."""

    slot: str
    state: str
    address: str = ""
    weight: int = 0


def steps(slots: Sequence[Slot], wanted: Sequence[Server]) -> list[Step]:
    """A slot that drains is used again only when none is free, one that serves what is not wanted only when none drains.

    Connections that a reused slot has stay with the address they were made to.
    """
    want = {s.address: s for s in wanted[: len(slots)]}
    held = {s.address: s for s in slots if s.state != FREE and s.address in want}
    spare = sorted((s for s in slots if s not in held.values()), key=lambda s: ((FREE, DRAIN, READY).index(s.state), s.sessions))
    ins, reused = [], set()
    for server in want.values():
        slot = held.get(server.address)
        if slot is None:
            slot = spare.pop(0)
            reused.add(slot.name)
            ins.append(Step(slot.name, READY, server.address, server.weight))
        elif (slot.state, slot.weight) != (READY, server.weight):
            ins.append(Step(slot.name, READY, "", server.weight))
    outs = [Step(s.name, DRAIN) for s in spare if s.state == READY and s.name not in reused]
    return ins + outs


def done(slots: Sequence[Slot]) -> list[Step]:
    """What has drained is free."""
    return [Step(s.name, FREE) for s in slots if s.state == DRAIN and not s.sessions]


def serving(slots: Sequence[Slot]) -> tuple[Server, ...]:
    return tuple(sorted(Server(s.address, s.weight) for s in slots if s.state == READY))
