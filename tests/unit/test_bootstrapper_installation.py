"""Names, ports and ranges of installations that stand side by side; what is declared fits together."""

from __future__ import annotations

import ipaddress
from pathlib import Path

import pytest

from bootstrapper.declared import Backing
from bootstrapper.files import digest, once, write
from bootstrapper.given import LOOPBACK
from bootstrapper.installation import OFFSETS, Installation, all_known, check_name, known
from bootstrapper.platform import BACKINGS, SUBSYSTEMS
from bootstrapper.services import Services
from bootstrapper.shell import Failed, sh
from bootstrapper.swarm import free_range
from bootstrapper.vault import PACKAGES, WORDS


def installation(name: str = "berth", port: int = 8000, home: Path = Path("/nowhere")) -> Installation:
    return Installation(name, port, home, "192.0.2.1")


def test_ports_are_offsets_of_the_base_port() -> None:
    own = installation()
    ports = [own.port(n) for n in ("https", "apps", "http", "apps-http", "registry")]
    assert ports == [8443, 8444, 8080, 8081, 8500]
    assert len(set(OFFSETS.values())) == len(OFFSETS)


def test_two_installations_share_no_name() -> None:
    one, two = installation("berth"), installation("berth-2", 9000)
    for word in ("mark", "policy_prefix", "own_bridge", "registry"):
        assert getattr(one, word) != getattr(two, word)
    assert not {one.own(b.name) for b in BACKINGS} & {two.own(b.name) for b in BACKINGS}


def test_interface_names_fit_the_kernel_and_the_platforms_own_is_no_policy() -> None:
    own = installation("a" * 32)
    assert all(len(n) <= 15 for n in (own.own_bridge, f"{own.policy_prefix}-plat", f"{own.policy_prefix}-inet"))
    assert not own.own_bridge.startswith(own.policy_prefix[:2])


@pytest.mark.parametrize("name", ["", "Berth", "9lives", "a_b", "a-", "x" * 33, "a/b", ".."])
def test_names_that_docker_or_a_path_would_not_take(name: str) -> None:
    with pytest.raises(Failed):
        check_name(name)


def test_what_up_left_is_found_again(tmp_path: Path) -> None:
    own = Installation("lab", 9000, tmp_path / "lab", "192.0.2.1", True)
    own.keep()
    assert known(tmp_path, "lab") == own
    assert known(tmp_path, "other") is None
    assert all_known(tmp_path) == [own]


def test_subsystems_have_names_of_their_own_and_whole_commands() -> None:
    names = [s.name for s in SUBSYSTEMS]
    assert len(set(names)) == len(names)
    assert {"agent", "sensor-manager-intake", "platform-ui"} <= set(names)
    assert next(s for s in SUBSYSTEMS if s.name == "agent").command == ("python3", "-m", "node_manager", "agent")


def test_every_secret_of_a_backing_service_is_made() -> None:
    made = {*WORDS, "azurite", "kafka-cluster", "people", "htpasswd", "ca.crt"}
    made |= {f"{n}.{end}" for n in ("registry", "slapd", "haproxy") for end in ("crt", "key")}
    for backing in BACKINGS:
        assert set(backing.secrets.values()) <= made, backing.name
    assert {f"kafka-{p}" for p in PACKAGES} | {f"postgres-{p}" for p in PACKAGES} <= made


def test_backing_services_run_as_users_of_their_own() -> None:
    uids = [b.uid for b in BACKINGS]
    assert len(set(uids)) == len(uids) and 0 not in uids
    assert all(isinstance(b, Backing) and b.memory for b in BACKINGS)


def test_a_service_says_everything_that_keeps_it_small() -> None:
    from bootstrapper.engine import Engine
    from bootstrapper.wiring import Wires

    wires = Wires({"A": "1"}, {}, [], [], [])
    spec = Services(Engine(), installation()).spec(SUBSYSTEMS[0], "r/x@sha256:1", wires)
    task = spec["TaskTemplate"]
    assert task["ContainerSpec"]["ReadOnly"] and task["ContainerSpec"]["CapabilityDrop"] == ["ALL"]
    assert task["Resources"]["Limits"]["MemoryBytes"] and task["Resources"]["Limits"]["Pids"]
    assert task["RestartPolicy"] == {"Condition": "any", "Delay": 0, "MaxAttempts": 0}
    assert spec["EndpointSpec"] == {"Mode": "dnsrr"}
    assert [n["Target"] for n in task["Networks"]] == ["berth", "berth0"]


def test_a_bridge_takes_the_first_range_that_nobody_has() -> None:
    used = [ipaddress.IPv4Network(n) for n in ("172.28.0.0/20", "172.28.16.0/24", "10.0.0.0/8")]
    assert free_range(used) == "172.28.32.0/20"
    with pytest.raises(Failed):
        free_range([ipaddress.IPv4Network("172.16.0.0/12")])


@pytest.mark.parametrize(
    "url", ["127.0.0.1:9092", "postgresql://a:b@localhost:5432/x", "BlobEndpoint=http://127.0.0.1:1/a;"]
)
def test_a_loopback_address_is_no_use_to_a_container(url: str) -> None:
    assert LOOPBACK.search(url)
    assert not LOOPBACK.search(url.replace("localhost", "db.example").replace("127.0.0.1", "192.0.2.9"))


def test_names_come_from_all_content_and_from_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    write(tmp_path / "a/x", "1")
    before = digest(tmp_path / "a", "s")
    (tmp_path / "a/__pycache__").mkdir()
    (tmp_path / "a/__pycache__/x.pyc").write_bytes(b"0")
    assert digest(tmp_path / "a", "s") == before
    write(tmp_path / "a/x", "2")
    assert digest(tmp_path / "a", "s") != before
    (tmp_path / "a/x").rename(tmp_path / "a/y")
    assert digest(tmp_path / "a", "s") != digest(tmp_path / "a", "t")


def test_a_secret_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "secrets/word"
    assert once(path, lambda: "first") == "first"
    assert once(path, lambda: "second") == "first"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [p.name for p in path.parent.iterdir()] == ["word"]


def test_a_program_that_fails_says_what_it_said() -> None:
    assert sh("echo", "hello") == "hello"
    with pytest.raises(Failed, match="no-such-folder"):
        sh("ls", "/no-such-folder")
