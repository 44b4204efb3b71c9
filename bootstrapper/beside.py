"""Whether installations can stand side by side on one machine: no port, name or interface of one may be another's."""

from __future__ import annotations

from collections.abc import Iterable

from bootstrapper.installation import OFFSETS, Installation
from bootstrapper.platform import BACKINGS, SUBSYSTEMS

LOWEST, HIGHEST = 1024, 65535 - max(OFFSETS.values())
ONE_OFF = ("prepare", "ready", "render", "firewall", "scratch", "demo-building", "demo-machine")
NETWORKS = ("apps-platform", "apps-internet", "apps-platform-node", "apps-internet-node")


def ports(own: Installation) -> dict[int, str]:
    """Every port of the host that it may listen on."""
    return {own.port(what): what for what in OFFSETS}


def names(own: Installation) -> set[str]:
    """Networks, containers, services and volumes. Apps' services are `<name>-d-…`."""
    things = (*(b.name for b in BACKINGS), *(s.name for s in SUBSYSTEMS), *ONE_OFF, *NETWORKS)
    return {own.name, f"{own.name}0", f"{own.name}0-node", *(own.own(thing) for thing in things)}


def clash(own: Installation, others: Iterable[Installation]) -> str:
    """Why `own` cannot stand beside one of the others; empty where it can."""
    for other in others:
        if both := sorted(ports(own).keys() & ports(other).keys()):
            held = ", ".join(f"{p} ({ports(other)[p]})" for p in both)
            return f"{other.name} stands on base port {other.base_port} and has port {held}."
        apart = not (own.name.startswith(f"{other.name}-d-") or other.name.startswith(f"{own.name}-d-"))
        if both_names := sorted(names(own) & names(other)):
            return f"The name {own.name} is too near {other.name}: both would have {both_names[0]}."
        if own.mark == other.mark or not apart:
            return f"The name {own.name} cannot be told from {other.name} where names are short."
    return ""


def out_of_range(base_port: int) -> str:
    if LOWEST <= base_port <= HIGHEST:
        return ""
    return f"The base port must be {LOWEST} to {HIGHEST}, not {base_port}."


def free_base(others: Iterable[Installation]) -> int:
    """The first thousand that no other installation has a port in."""
    taken = {port // 1000 for other in others for port in ports(other)}
    return next(n for n in range(8, 64) if n not in taken) * 1000
