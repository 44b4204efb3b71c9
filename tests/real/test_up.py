"""An installation that is up: a second `up` changes nothing, a killed one resumes, everything runs as small as declared."""

from __future__ import annotations

import json
import os
import signal
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import psycopg
import pytest
from kafka import KafkaAdminClient, KafkaProducer  # type: ignore[import-untyped]
from kafka.errors import KafkaError  # type: ignore[import-untyped]

from bootstrapper.containers import Containers
from bootstrapper.engine import Engine
from bootstrapper.given import Where
from bootstrapper.installation import Installation, known
from bootstrapper.platform import SUBSYSTEMS
from bootstrapper.services import Services
from bootstrapper.up import root
from bootstrapper.vault import Vault
from tests.support.real import address

pytestmark = pytest.mark.real
Json = dict[str, Any]


@pytest.fixture(scope="module")
def own() -> Installation:
    found = known(root(), address("BERTH_TEST_INSTALLATION"))
    assert found, "BERTH_TEST_INSTALLATION names no installation of this machine"
    return found


def berth(*words: str) -> subprocess.Popen[str]:
    # the tests' own addresses are loopback: `up` would rightly refuse them
    environment = {k: v for k, v in os.environ.items() if not k.endswith("_URL")}
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [sys.executable, "-m", "bootstrapper", *words], env=environment, stdout=pipe, stderr=pipe, text=True
    )


def standing(own: Installation) -> Json:
    """What would differ if something had been touched."""
    engine = Engine()
    containers = {c["Names"][0]: c["Id"] for c in Containers(engine, own).mine()}
    services = {s["Spec"]["Name"]: s["Spec"]["TaskTemplate"] for s in Services(engine, own).mine()}
    files = {str(p): p.read_bytes() for p in own.secrets.rglob("*") if p.is_file()}
    return {"containers": containers, "services": services, "files": files}


def test_a_second_up_changes_nothing(own: Installation) -> None:
    first = berth("up", "--name", own.name)
    first.communicate(timeout=300)
    before = standing(own)
    again = berth("up", "--name", own.name)
    _, said = again.communicate(timeout=120)
    assert again.returncode == 0, said
    assert standing(own) == before


def test_an_up_that_was_killed_goes_on(own: Installation) -> None:
    killed = berth("up", "--name", own.name)
    assert killed.stderr
    killed.stderr.readline()  # it has begun
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    again = berth("up", "--name", own.name, "--json")
    out, said = again.communicate(timeout=300)
    assert again.returncode == 0, said
    assert json.loads(out)["url"] == f"https://localhost:{own.port('https')}"


def test_status_tells_of_every_part(own: Installation) -> None:
    asked = berth("status", "--name", own.name, "--json")
    out, said = asked.communicate(timeout=60)
    facts = json.loads(out)
    assert asked.returncode == 0, [p for p in facts["parts"] if p["state"] != "ok"] or said
    assert {"kafka", "postgres", "identity", "agent", "front door"} <= {p["name"] for p in facts["parts"]}


def test_another_base_port_is_refused_with_the_reason() -> None:
    asked = berth("up", "--name", address("BERTH_TEST_INSTALLATION"), "--port", "1024")
    _, said = asked.communicate(timeout=60)
    assert asked.returncode == 1
    assert "cannot move" in said and "next:" in said


def test_every_container_is_held_small(own: Installation) -> None:
    engine = Engine()
    found = engine.call("GET", "/containers/json", filters={"label": [f"{own.label}={own.name}"]})
    seen = 0
    for one in found:
        if "berth.deployment" in one["Labels"] or one["Names"][0] == f"/{own.own('firewall')}":
            continue
        facts = engine.call("GET", f"/containers/{one['Id']}/json")
        host, user = facts["HostConfig"], facts["Config"]["User"]
        name = facts["Name"]
        assert host["ReadonlyRootfs"] and host["CapDrop"] == ["ALL"] and not host["Privileged"], name
        assert host["Memory"] and host["PidsLimit"], name
        assert user.split(":")[0] not in ("", "0", "root"), name
        process = Path(f"/proc/{facts['State']['Pid']}/status").read_text()
        assert "NoNewPrivs:\t1" in process, name
        seen += 1
    assert seen >= len([s for s in SUBSYSTEMS if not s.everywhere])


def test_no_secret_is_seen_by_who_may_ask_docker(own: Installation) -> None:
    engine, vault = Engine(), Vault(own)
    words = {p.read_text().strip() for p in vault.all.iterdir() if p.suffix not in (".crt", ".pub", ".key", ".pem")}
    words |= {password for *_, password in vault.people()}
    told = json.dumps([engine.call("GET", f"/containers/{c['Id']}/json") for c in Containers(engine, own).mine()])
    told += json.dumps(Services(engine, own).mine())
    assert not [w for w in words if len(w) > 8 and w in told]


def test_the_folder_of_secrets_is_roots_alone(own: Installation) -> None:
    assert own.home.stat().st_mode & 0o777 == 0o700
    assert (own.secrets / "all").stat().st_mode & 0o777 == 0o700


def test_a_subsystems_kafka_user_makes_no_topics(own: Installation) -> None:
    facts = Where(own, Vault(own), {}, host=True).kafka("monitor")
    how = {
        "bootstrap_servers": facts["KAFKA_URL"], "security_protocol": "SASL_PLAINTEXT", "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": facts["KAFKA_USER"], "sasl_plain_password": facts["KAFKA_PASSWORD"],
    }  # fmt: skip
    admin = KafkaAdminClient(**how)
    with pytest.raises(KafkaError):
        admin.create_topics({"not-mine": {"num_partitions": 1, "replication_factor": 1}})
    admin.close()


def test_kafka_refuses_who_does_not_log_in() -> None:
    with pytest.raises(KafkaError):
        KafkaProducer(bootstrap_servers=address("KAFKA_URL"), bootstrap_timeout_ms=3000)


def test_a_subsystems_role_sees_no_other_ones_tables(own: Installation) -> None:
    url = Where(own, Vault(own), {}, host=True).postgres("monitor")["POSTGRES_URL"]
    with psycopg.connect(url) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("create table identity.mine (x int)")


def test_the_registry_asks_for_a_password(own: Installation) -> None:
    context = ssl.create_default_context(cafile=str(Path(address("BERTH_CA"))))
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"https://{own.registry}/v2/", context=context, timeout=5)
    assert refused.value.code == 401


def test_the_front_door_speaks_tls_of_our_authority(own: Installation) -> None:
    for host in ("localhost", "127.0.0.1", own.address):
        context = ssl.create_default_context(cafile=address("BERTH_CA"))
        url = f"https://{host}:{own.port('https')}/login"
        with urllib.request.urlopen(url, context=context, timeout=10) as answer:
            assert answer.status == 200
