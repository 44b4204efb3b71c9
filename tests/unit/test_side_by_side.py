"""Two installations on one machine share no name, port, interface or firewall chain; those that would are refused by `up`."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import pytest

from bootstrapper.beside import HIGHEST, clash, free_base, names, out_of_range, ports
from bootstrapper.installation import Installation
from cli import testing


def one(name: str, base_port: int) -> Installation:
    return Installation(name, base_port, Path("/nowhere") / name, "192.0.2.1")


BESIDE = (one("berth", 8000), one("dev", 9000), one("berth-two", 31000), one(testing.installation(), testing.base_port()))


@pytest.mark.parametrize("pair", combinations(BESIDE, 2), ids=lambda pair: f"{pair[0].name} {pair[1].name}")
def test_they_share_nothing(pair: tuple[Installation, Installation]) -> None:
    a, b = pair
    assert not ports(a).keys() & ports(b).keys()
    assert not names(a) & names(b)
    assert a.registry != b.registry, "the folder of the registry's CA in /etc/docker/certs.d"
    assert len({a.policy_prefix, a.own_bridge, b.policy_prefix, b.own_bridge}) == 4
    assert not clash(a, [b]) and not clash(b, [a])


def test_interface_names_fit_the_kernel() -> None:
    for own in BESIDE:
        for interface in (own.own_bridge, f"{own.policy_prefix}-plat", f"{own.policy_prefix}-inet"):
            assert len(interface) <= 15
        assert not own.own_bridge.startswith(own.policy_prefix), "the firewall tells policies by their prefix"


@pytest.mark.parametrize(
    ("own", "other", "word"),
    [
        (one("a", 8000), one("b", 8001), "8444 (https)"),  # the one's pages where the other's apps are
        (one("a", 8000), one("b", 8000), "base port 8000"),
        (one("a", 8020), one("b", 8000), "8100 (azurite)"),
        (one("a0", 9000), one("a", 8000), "a0"),  # the overlay of the one, the bridge of the other
        (one("a-kafka", 9000), one("a", 8000), "a-kafka"),
        (one("a-apps-platform", 9000), one("a", 8000), "a-apps-platform"),
        (one("a-d-b", 9000), one("a", 8000), "cannot be told"),
        (one("x10", 9000), one("x204", 10000), "cannot be told"),
    ],
)
def test_what_would_collide_is_refused(own: Installation, other: Installation, word: str) -> None:
    assert word in clash(own, [other])
    assert clash(other, [own])


def test_a_base_port_leaves_room_for_all_ports() -> None:
    assert out_of_range(80) and out_of_range(HIGHEST + 1)
    assert not out_of_range(8000) and not out_of_range(HIGHEST)
    assert max(ports(one("a", HIGHEST))) == 65535


def test_the_port_that_is_proposed_is_free() -> None:
    there = [one("a", 8000), one("b", 9700), one("c", 11000)]
    base = free_base(there)
    assert base == 12000 and not clash(one("d", base), there)
