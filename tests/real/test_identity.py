"""Identity as processes on LDAP, PostgreSQL and Kafka: logins, and a revocation heard by another replica within a second."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest

from backbone.clock import SystemClock
from backbone.tables.postgres import SQL, Identifier
from backbone.tokens import new_key
from tests.support.document_homes import pool_on
from tests.support.process import Process, eventually, running
from tests.support.real import address
from tests.support.tokens import subsystem_token

pytestmark = pytest.mark.real
IDENTITY = ["-m", "identity"]


class Quiet(dict[str, str]):
    """A failing test prints its arguments: these hold secrets."""

    def __repr__(self) -> str:
        return "Quiet(***)"


@pytest.fixture(scope="module")
def settings() -> Iterator[Mapping[str, str]]:
    """An installation of its own by name and key, with a database of its own."""
    for name in ("KAFKA_URL", "LDAP_URL", "LOGIN_ADA"):
        address(name)
    name, url = f"identity_{uuid.uuid4().hex[:8]}", address("POSTGRES_URL")
    with pool_on(url) as pool:
        pool.query(SQL("CREATE DATABASE {}").format(Identifier(name)))
        try:
            yield Quiet(
                {
                    "POSTGRES_URL": urlsplit(url)._replace(path=f"/{name}").geturl(),
                    "BERTH_INSTALLATION": name,
                    "BERTH_SIGNING_KEY": new_key(),
                }
            )
        finally:
            pool.query(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))


@pytest.fixture(scope="module")
def replicas(settings: Mapping[str, str]) -> Iterator[list[Process]]:
    with ExitStack() as stack:
        yield [stack.enter_context(running(IDENTITY, settings)) for _ in range(2)]


def login(process: Process, username: str) -> dict[str, object]:
    body = {"username": username, "password": os.environ[f"LOGIN_{username.upper()}"]}
    status, told = process.ask("POST", "/api/v1/session", body)
    assert status == 201, told
    return dict(told)


@pytest.mark.parametrize(("username", "role"), [("ada", "admin"), ("otto", "operator"), ("dora", "developer"), ("uma", "user")])
def test_the_directory_gives_the_role(replicas: list[Process], username: str, role: str) -> None:
    address(f"LOGIN_{username.upper()}")
    told = login(replicas[0], username)
    user = told["user"]
    assert isinstance(user, dict) and user["roles"] in ([role, "user"], [role])
    assert user["workspaces"] == [{"name": username, "role": "owner"}]
    assert replicas[1].ask("GET", "/api/v1/me", token=str(told["access_token"])) == (200, user)


def test_wrong_and_wild_passwords(replicas: list[Process]) -> None:
    for username, password in (("ada", "wrong"), ("*", "*"), ("ada)(uid=*", "x"), ("nobody", "x")):
        assert replicas[0].ask("POST", "/api/v1/session", {"username": username, "password": password})[0] == 401
    assert replicas[0].ask("POST", "/api/v1/session", {"username": "ada", "password": ""})[0] == 422


def test_a_revocation_is_heard_by_the_other_replica_within_a_second(replicas: list[Process]) -> None:
    token = str(login(replicas[0], "ada")["access_token"])
    assert [r.ask("GET", "/api/v1/me", token=token)[0] for r in replicas] == [200, 200]
    assert replicas[0].ask("DELETE", "/api/v1/session", token=token)[0] == 204
    took = eventually(lambda: [r.ask("GET", "/api/v1/me", token=token)[0] for r in replicas] == [401, 401], 1.0)
    print(f"revoked everywhere after {took:.3f} s")


def test_two_at_once_with_one_refresh_token_end_the_session(replicas: list[Process]) -> None:
    told = login(replicas[0], "dora")
    again = [r.ask("POST", "/api/v1/session/refresh", {"refresh_token": told["refresh_token"]}) for r in replicas]
    assert [status for status, _ in again] == [201, 401]
    token = again[0][1]["access_token"]
    eventually(lambda: replicas[0].ask("GET", "/api/v1/me", token=token)[0] == 401, 1.0)


def test_a_device_token_is_given_and_taken_back(replicas: list[Process], settings: Mapping[str, str]) -> None:
    pem, installation = settings["BERTH_SIGNING_KEY"], settings["BERTH_INSTALLATION"]
    asker = subsystem_token("sensor_manager", pem, installation, SystemClock().now())
    wanted = {"purpose": "device", "subject": "d1", "workspace": "ada"}
    status, told = replicas[0].ask("POST", "/api/v1/tokens", wanted, asker)
    assert status == 201
    assert replicas[1].ask("GET", "/api/v1/me", token=told["token"])[0] == 403
    assert replicas[1].ask("DELETE", f"/api/v1/tokens/{told['jti']}", token=asker)[0] == 204
    eventually(lambda: replicas[0].ask("GET", "/api/v1/me", token=told["token"])[0] == 401, 1.0)


def test_a_late_replica_knows_what_was_revoked(replicas: list[Process], settings: Mapping[str, str]) -> None:
    token = str(login(replicas[0], "ada")["access_token"])
    assert replicas[0].ask("DELETE", "/api/v1/session", token=token)[0] == 204
    with running(IDENTITY, settings) as late:
        assert late.ask("GET", "/api/v1/me", token=token)[0] == 401


def test_it_leaves_at_once_and_says_no_secret(settings: Mapping[str, str]) -> None:
    with running(IDENTITY, settings) as process:
        told = login(process, "ada")
        code, seconds = process.stop()
        assert code == 0 and seconds < 2
        lines = process.lines()
    said = str(lines)
    assert {"started", "key_published", "logged_in", "stopped"} <= {line["event"] for line in lines}
    for secret in (os.environ["LOGIN_ADA"], told["access_token"], str(told["refresh_token"]).split(".")[1], "PRIVATE KEY"):
        assert str(secret) not in said
