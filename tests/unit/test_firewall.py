"""The firewall's keeper: mends what does not stand, and labels the node only where it does."""

from __future__ import annotations

from backbone.containers.host import MemoryHost, Ran
from node_manager.firewall import AGAIN, Firewall, Walls

WALLS = Walls("berth", ("10.0.0.9",), ("10.0.0.9",), ("10.0.0.9:8443",))


def verbs(host: MemoryHost) -> list[str]:
    return [command[-1] for _, command, _ in host.ran]


def test_it_is_applied_checked_and_then_only_checked() -> None:
    host = MemoryHost()
    wall = Firewall(host, WALLS)
    assert wall.hold() and wall.reason == ""
    assert not wall.hold()
    assert verbs(host) == ["apply", "check", "check"]
    assert host.labels == {"berth.apps": "1"}
    assert host.helpers == {"berth-firewall"}


def test_the_script_is_told_this_installations_values() -> None:
    host = MemoryHost()
    Firewall(host, WALLS).hold()
    assert host.ran[0][2] == {"MARK": WALLS.mark, "NODES": "10.0.0.9", "GATEWAYS": "10.0.0.9", "API": "10.0.0.9:8443", "DNS": ""}
    assert len(WALLS.mark) == 4


def test_flushed_rules_are_put_back() -> None:
    host = MemoryHost()
    wall = Firewall(host, WALLS)
    wall.hold()
    host.answers["check"] = Ran(1, "missing: a jump")
    assert wall.hold()
    assert verbs(host)[-2:] == ["apply", "check"]
    assert "missing: a jump" in wall.reason


def test_a_node_whose_firewall_cannot_stand_loses_its_label() -> None:
    host = MemoryHost()
    wall = Firewall(host, WALLS)
    wall.hold()
    host.answers["check"] = host.answers["apply"] = Ran(1, "iptables: Permission denied")
    wall.hold()
    assert host.labels == {}
    assert "Permission denied" in wall.reason


def test_no_label_is_set_before_the_first_check() -> None:
    host = MemoryHost()
    host.away = True
    wall = Firewall(host, WALLS)
    wall.hold()
    assert host.labels == {} and "away" in wall.reason
    host.away = False
    wall.hold()
    assert host.labels == {"berth.apps": "1"}


def test_the_rules_are_written_again_now_and_then() -> None:
    host = MemoryHost()
    wall = Firewall(host, WALLS)
    for _ in range(AGAIN + 1):
        wall.hold()
    assert verbs(host).count("apply") == 2
