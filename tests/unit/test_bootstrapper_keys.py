"""The installation's own authority and what it signs; passwords and tokens that stay as they are."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from backbone.clock import SystemClock
from bootstrapper.certificates import load_key, make_authority, make_leaf, stands
from bootstrapper.given import Where
from bootstrapper.installation import Installation
from bootstrapper.platform import PEOPLE
from bootstrapper.shell import Failed
from bootstrapper.vault import Vault, cluster_id
from bootstrapper.wiring import token, urls

NOW = datetime(2026, 11, 28, tzinfo=UTC)
NAMES = ("haproxy", "localhost", "127.0.0.1", "192.0.2.1")


@pytest.fixture
def authority(tmp_path: Path) -> Path:
    make_authority(tmp_path, "lab", NOW)
    return tmp_path


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    made = Vault(Installation("lab", 9000, tmp_path / "lab", "192.0.2.1"))
    made.make()
    return made


def load(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def test_the_authority_is_made_once(authority: Path) -> None:
    before = (authority / "ca.crt").read_bytes()
    make_authority(authority, "lab", NOW + timedelta(days=1))
    assert (authority / "ca.crt").read_bytes() == before
    assert (authority / "ca.key").stat().st_mode & 0o777 == 0o600


def test_a_leaf_is_signed_by_it_and_speaks_for_its_names(authority: Path) -> None:
    make_leaf(authority, "door", NAMES, NOW)
    leaf = load(authority / "door.crt")
    leaf.verify_directly_issued_by(load(authority / "ca.crt"))
    assert stands(authority / "door.crt", NAMES, NOW)
    assert isinstance(load_key(authority / "door.key"), ec.EllipticCurvePrivateKey)
    ssl.create_default_context().load_verify_locations(authority / "ca.crt")


def test_a_leaf_is_made_anew_for_other_names_or_near_its_end_and_not_else(authority: Path) -> None:
    make_leaf(authority, "door", NAMES, NOW)
    first = load(authority / "door.crt").serial_number
    make_leaf(authority, "door", NAMES, NOW + timedelta(days=100))
    assert load(authority / "door.crt").serial_number == first
    make_leaf(authority, "door", (*NAMES, "berth.example"), NOW)
    second = load(authority / "door.crt").serial_number
    assert second != first
    make_leaf(authority, "door", (*NAMES, "berth.example"), NOW + timedelta(days=800))
    assert load(authority / "door.crt").serial_number != second


def test_everything_secret_is_made_once(vault: Vault) -> None:
    def content() -> dict[str, bytes]:
        return {p.name: p.read_bytes() for p in vault.all.iterdir()}

    before = content()
    vault.make()
    assert content() == before
    assert vault.all.stat().st_mode & 0o777 == 0o700
    readable = {p.name for p in vault.all.iterdir() if p.stat().st_mode & 0o077}
    assert all(name.endswith((".crt", ".pub")) for name in readable)


def test_everyone_has_a_password_of_their_own(vault: Vault) -> None:
    people = vault.people()
    assert [(user, role) for user, role, _ in people] == [(user, groups.split(",")[0]) for user, groups, _ in PEOPLE]
    assert len({password for *_, password in people}) == len(people)
    assert vault.read("htpasswd").startswith("berth:$2b$")


def test_a_container_gets_its_files_and_no_others(vault: Vault) -> None:
    import os

    folder = vault.give("x", os.getuid(), {"a": "1", "b": "2"})
    assert {p.name: p.read_text() for p in folder.iterdir()} == {"a": "1", "b": "2"}
    vault.give("x", os.getuid(), {"a": "3"})
    assert {p.name: p.read_text() for p in folder.iterdir()} == {"a": "3"}
    assert (folder / "a").stat().st_mode & 0o777 == 0o400


def test_a_cluster_id_never_begins_with_a_dash() -> None:
    assert all(not cluster_id().startswith("-") for _ in range(300))


def test_a_subsystems_token_stays_the_same(vault: Vault) -> None:
    clock = SystemClock()
    first = token(vault, "deployer", "lab", clock)
    assert token(vault, "deployer", "lab", clock) == first
    assert token(vault, "monitor", "lab", clock) != first


def test_each_subsystem_logs_in_as_itself(vault: Vault) -> None:
    where = Where(vault.installation, vault, {})
    assert where.kafka("deployer")["KAFKA_USER"] == "deployer"
    assert where.postgres("deployer")["POSTGRES_URL"].startswith("postgresql://deployer:")
    assert where.kafka("deployer")["KAFKA_PASSWORD"] != where.kafka("monitor")["KAFKA_PASSWORD"]
    assert where.directory("/ca")["LDAP_URL"] == "ldaps://slapd:1636"
    assert urls(where) == ("https://localhost:9443", "https://127.0.0.1:9444")


def test_a_given_address_replaces_ours(vault: Vault) -> None:
    given = {
        "KAFKA_URL": "k.example:9092",
        "POSTGRES_URL": "postgresql://p.example/x",
        "MONGO_URL": "mongodb://m.example",
    }
    where = Where(vault.installation, vault, given)
    assert where.kafka("deployer") == {"KAFKA_URL": "k.example:9092"}
    assert where.documents("deployer") == {"MONGO_URL": "mongodb://m.example"}
    assert where.postgres("deployer") == {"POSTGRES_URL": "postgresql://p.example/x"}


def test_on_the_host_exposed_services_have_loopback_ports(vault: Vault) -> None:
    where = Where(vault.installation, vault, {}, host=True)
    assert where.kafka("berth")["KAFKA_URL"] == "127.0.0.1:9092"
    assert "@127.0.0.1:9432/lab" in where.postgres("berth")["POSTGRES_URL"]


def test_a_failure_carries_its_next_step() -> None:
    assert Failed("cause", "mend").mend == "mend"
