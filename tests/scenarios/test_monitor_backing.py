"""Stories of what the platform stands on: away, slow and back, whoever is asked, and nobody is replaced because of it."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.messages import IncidentClosed, IncidentOpened, ReplicaReplaced
from tests.scenarios.test_monitor import PARTS, House, texts

SERVICES = ("azurite", "haproxy", "kafka", "postgres", "registry", "slapd")


@pytest.fixture
def house() -> House:
    return House()


def backing(house: House) -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in house.ask("GET", "/backing", "operator").json["items"]}


def of_services(house: House) -> list[dict[str, Any]]:
    return [i for i in house.listed() if i["kind"] == "backing"]


def test_all_are_up_and_no_incident(house: House) -> None:
    found = backing(house)
    assert sorted(found) == sorted(SERVICES)
    assert {s["state"] for s in found.values()} == {"up"} and all(s["answered_ms"] is not None for s in found.values())
    assert house.listed() == [] and house.ask("GET", "/backing", "developer").status == 403


@pytest.mark.parametrize("service", SERVICES)
def test_one_is_away_and_back(house: House, service: str) -> None:
    before = {name: house.replica(name) for name in PARTS}
    house.platform.take_away(service, "its disk is full")
    house.pass_time(20)
    shown = backing(house)[service]
    assert (shown["state"], shown["reason"].endswith("its disk is full")) == ("away", True)
    if service != "postgres":  # where incidents are kept
        (open,) = house.listed()
        assert shown["incident"] == open["id"] and open["state"] == "open" and open["kind"] == "backing"
    house.platform.take_away(service, "")
    house.pass_time(20)
    (incident,) = house.listed()
    assert (incident["subsystem"], incident["outcome"], incident["title"]) == (service, "recovered", f"{service} is away")
    assert texts(incident)[0] == "its last answer" and texts(incident)[1].startswith(f"{service} is away: ")
    assert texts(incident)[-1].startswith(f"{service} answers again") and incident["seconds"] >= 18
    assert house.ask("GET", f"/incidents/{incident['id']}", "operator").json == incident
    assert backing(house)[service]["state"] == "up"
    assert house.said() == [] and {name: house.replica(name) for name in PARTS} == before, "nobody is replaced"
    said = [e.name for e in house.incidents.read_to_end()]
    assert (said[0], said[-1]) == (IncidentOpened.__name__, IncidentClosed.__name__), "also said, however late"


def test_an_unknown_incident_is_told_so(house: House) -> None:
    assert house.ask("GET", "/incidents/none", "operator").status == 404


def test_a_silence_of_all_and_kafka_away_are_one_tale(house: House) -> None:
    """The silence is seen first; then its cause."""
    house.silence(*(house.replica(name) for name in PARTS))
    house.pass_time(5)
    (silence,) = house.listed()
    assert silence["kind"] == "silence"
    house.platform.take_away("kafka", "no broker")
    house.pass_time(5)
    found = {i["kind"]: i for i in house.listed()}
    assert found["silence"]["outcome"] == "over" and "kafka is away, which explains it" in texts(found["silence"])[-1]
    assert any("many replicas are not heard, and nobody is replaced" in text for text in texts(found["backing"]))
    house.pass_time(60)
    assert len(house.listed()) == 2
    for id in list(house.parts):
        house.wake(id)
    house.platform.take_away("kafka", "")
    house.pass_time(15)
    assert len(house.listed()) == 2 and {i["state"] for i in house.listed()} == {"closed"} and house.said() == []


def test_those_whose_loops_waited_for_postgres_are_not_suspected_when_it_is_back(house: House) -> None:
    house.platform.take_away("postgres", "no server")
    house.pass_time(10)
    waiting = [house.replica(name) for name in ("deployer", "gateway")]
    house.silence(*waiting, live=True)
    house.pass_time(10)
    house.platform.take_away("postgres", "")
    house.pass_time(5)
    for id in waiting:
        house.wake(id)
    house.pass_time(30)
    assert [(i["kind"], i["subsystem"]) for i in house.listed()] == [("backing", "postgres")] and house.said() == []


def test_one_that_died_while_kafka_was_away_is_found_when_it_is_back(house: House) -> None:
    house.platform.take_away("kafka", "no broker")
    house.pass_time(10)
    lost = house.replica("deployer")
    house.silence(lost)
    house.pass_time(100)
    assert [i["kind"] for i in house.listed()] == ["backing"]
    house.platform.take_away("kafka", "")
    house.pass_time(30)
    assert any(isinstance(m, ReplicaReplaced) and m.replica == lost for m in house.said())
    assert house.replica("deployer") != lost


def test_the_leader_dies_while_postgres_is_away_and_the_other_one_tells(house: House) -> None:
    house.platform.take_away("postgres", "no server")
    house.pass_time(10)
    house.kill_leader()
    house.platform.take_away("postgres", "")
    house.pass_time(15)
    (incident,) = of_services(house)
    assert (incident["subsystem"], incident["outcome"]) == ("postgres", "recovered")


def test_two_outages_shortly_after_each_other_are_two(house: House) -> None:
    for _ in range(2):
        house.platform.take_away("slapd", "no server")
        house.pass_time(6)
        house.platform.take_away("slapd", "")
        house.pass_time(4)
    house.kill_leader()
    house.pass_time(10)
    assert [(i["subsystem"], i["outcome"]) for i in of_services(house)] == [("slapd", "recovered")] * 2


@pytest.mark.parametrize("over", [False, True])
def test_what_one_leader_wrote_down_the_next_does_not_write_again(house: House, over: bool) -> None:
    house.platform.take_away("slapd", "no server")
    house.pass_time(10)
    if over:
        house.platform.take_away("slapd", "")
        house.pass_time(10)
    house.kill_leader()
    house.pass_time(10)
    house.platform.take_away("slapd", "")
    house.pass_time(10)
    (incident,) = of_services(house)
    assert incident["outcome"] == "recovered" and texts(incident)[-1].startswith("slapd answers again")


def test_what_a_dead_monitor_left_open_is_closed(house: House) -> None:
    house.platform.take_away("slapd", "no server")
    house.pass_time(10)
    assert [i["state"] for i in of_services(house)] == ["open"]
    for name in house.monitors:
        house.platform.loops.pop(name)
    house.platform.take_away("slapd", "")
    house.monitors = {"monitor-3": house._monitor("monitor-3")}
    house.pass_time(30)
    (incident,) = of_services(house)
    assert incident["outcome"] == "recovered" and "no monitor saw" in texts(incident)[-1]


def test_a_part_that_ended_while_no_monitor_looked_is_missed(house: House) -> None:
    house.pass_time(40)
    for name in house.monitors:
        house.platform.loops.pop(name)
    lost = house.replica("deployer")
    house.silence(lost)
    house.pass_time(60)
    house.monitors = {name: house._monitor(name) for name in ("monitor-3", "monitor-4")}
    house.pass_time(28)
    assert house.listed() == []
    house.pass_time(12)
    incident = next(i for i in house.listed() if i["subsystem"] == "deployer")
    assert (incident["replica"], incident["outcome"]) == (lost, "replaced") and house.replica("deployer") == incident["successor"]
    assert "when that was last written down" in texts(incident)[0]
    house.pass_time(60)
    assert len(house.listed()) == 1, "nobody else is missed"


def test_what_was_replaced_or_stopped_meanwhile_is_not_missed(house: House) -> None:
    house.pass_time(40)
    for name in house.monitors:
        house.platform.loops.pop(name)
    house.containers.kill(house.replica("deployer"))
    house.pass_time(60)
    house.monitors = {"monitor-3": house._monitor("monitor-3")}
    house.pass_time(60)
    assert house.listed() == [], "nor is one monitor of two: how many there should be is Swarm's to know"
