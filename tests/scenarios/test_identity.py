"""People log in, tokens are renewed, given out and taken back: identity on twins."""

from __future__ import annotations

import json
from typing import Any

import pytest

from backbone.directory import Person
from backbone.memory import MemoryPlatform
from backbone.tokens import new_key
from contracts.topics import KEYS, REVOCATIONS
from identity.subsystem import build
from tests.support.tokens import subsystem_token

PEM = new_key()


class Town:
    """One identity and a few people."""

    def __init__(self) -> None:
        self.platform = MemoryPlatform({"BERTH_SIGNING_KEY": PEM})
        for username, groups in (
            ("ada", ("admin", "developer")),
            ("Bob.B", ("developer", "ws-lab")),
            ("bob-b", ("developer",)),
            ("uma", ("choir",)),
            ("otto", ("operator",)),
        ):
            self.platform.directory.add(Person(username, username.title(), f"{username}@x", groups), f"pw-{username}")
        self.platform.add(build, "identity")
        self.peers, self.clock = self.platform.peers, self.platform.clock

    def ask(self, method: str, path: str, body: Any = None, token: str = "") -> tuple[int, Any]:
        got = self.peers.ask(method, path, json.dumps(body).encode() if body is not None else b"", token)
        return got.status, got.json

    def login(self, username: str, password: str | None = None) -> tuple[int, Any]:
        return self.ask("POST", "/session", {"username": username, "password": password or f"pw-{username}"})

    def subsystem(self, name: str) -> str:
        return subsystem_token(name, PEM, "memory", self.clock.now())

    def refresh(self, token: str) -> tuple[int, Any]:
        return self.ask("POST", "/session/refresh", {"refresh_token": token})

    def me(self, token: str) -> int:
        return self.ask("GET", "/me", token=token)[0]


@pytest.fixture
def town() -> Town:
    return Town()


def test_a_login_says_who_one_is(town: Town) -> None:
    status, told = town.login("Bob.B")
    assert status == 201 and told["token_type"] == "Bearer" and told["expires_in"] == 900
    assert told["user"]["roles"] == ["developer", "user"]
    assert told["user"]["workspaces"] == [{"name": "bob-b", "role": "owner"}, {"name": "lab", "role": "member"}]
    assert town.ask("GET", "/me", token=told["access_token"]) == (200, told["user"])


def test_usernames_that_look_alike_do_not_share_a_workspace(town: Town) -> None:
    first, second = (town.login(name)[1]["user"]["workspace"] for name in ("Bob.B", "bob-b"))
    assert first == "bob-b" and second.startswith("bob-b-") and len(second) == 12
    assert town.login("bob-b")[1]["user"]["workspace"] == second


def test_workspaces(town: Town) -> None:
    bob, otto, uma = (town.login(name)[1]["access_token"] for name in ("Bob.B", "otto", "uma"))
    assert [w["name"] for w in town.ask("GET", "/workspaces", token=bob)[1]["items"]] == ["bob-b", "lab"]
    assert [w["name"] for w in town.ask("GET", "/workspaces", token=uma)[1]["items"]] == ["uma"]
    everything = town.ask("GET", "/workspaces", token=otto)[1]["items"]
    assert {w["name"]: (w["role"], w["kind"]) for w in everything} == {
        "bob-b": ("", "personal"), "lab": ("", "team"), "otto": ("owner", "personal"), "uma": ("", "personal"),
    }  # fmt: skip


def test_only_administrators_see_people(town: Town) -> None:
    ada, bob = (town.login(name)[1]["access_token"] for name in ("ada", "Bob.B"))
    people = town.ask("GET", "/people", token=ada)[1]["items"]
    assert {p["username"]: p["roles"] for p in people}["uma"] == ["user"]
    assert town.ask("GET", "/people", token=bob)[0] == 403


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"username": "ada", "password": "wrong"}, 401),
        ({"username": "nobody", "password": "pw"}, 401),
        ({"username": "ada", "password": ""}, 422),
        ({"username": "ada"}, 422),
        ({}, 422),
        ({"username": "*", "password": "*"}, 401),
    ],
)
def test_refused_logins(town: Town, body: dict[str, str], status: int) -> None:
    got, told = town.ask("POST", "/session", body)
    assert got == status and "wrong" not in json.dumps(told.get("errors", []))


def test_wrong_passwords_make_one_wait(town: Town) -> None:
    for _ in range(5):
        assert town.login("ada", "wrong")[0] == 401
    assert town.login("ADA", "pw-ada")[0] == 429
    assert town.login("uma")[0] == 201
    town.clock.advance(61)
    assert town.login("ada")[0] == 201


def test_a_directory_that_is_away_is_said(town: Town) -> None:
    town.platform.directory.away = "unplugged"
    assert town.login("ada")[0] == 503


def test_an_access_token_counts_a_quarter_of_an_hour(town: Town) -> None:
    _, told = town.login("ada")
    town.clock.advance(899)
    assert town.me(told["access_token"]) == 200
    town.clock.advance(2)
    assert town.me(told["access_token"]) == 401
    status, again = town.refresh(told["refresh_token"])
    assert status == 201 and town.me(again["access_token"]) == 200


def test_a_refresh_token_used_twice_ends_the_session(town: Town) -> None:
    _, first = town.login("ada")
    _, second = town.refresh(first["refresh_token"])
    _, third = town.refresh(second["refresh_token"])
    assert town.me(first["access_token"]) == town.me(third["access_token"]) == 200
    assert town.refresh(first["refresh_token"])[0] == 401
    assert {town.me(t["access_token"]) for t in (first, second, third)} == {401}
    assert town.refresh(third["refresh_token"])[0] == 401
    assert town.login("ada")[0] == 201


def test_a_guessed_refresh_token_harms_nobody(town: Town) -> None:
    _, told = town.login("ada")
    session = told["refresh_token"].split(".")[0]
    assert town.refresh(f"{session}.guess")[0] == town.refresh("x.y")[0] == town.refresh("z")[0] == 401
    assert town.refresh(told["refresh_token"])[0] == 201


def test_a_refresh_sees_new_groups_and_who_is_gone(town: Town) -> None:
    _, told = town.login("uma")
    town.platform.directory.add(Person("uma", "Uma", "u@x", ("operator",)), "pw-uma")
    _, told = town.refresh(told["refresh_token"])
    assert told["user"]["roles"] == ["operator", "user"]
    del town.platform.directory._people["uma"]
    assert town.refresh(told["refresh_token"])[0] == 401 and town.me(told["access_token"]) == 401


def test_a_session_ends_after_a_week_and_is_forgotten(town: Town) -> None:
    _, told = town.login("ada")
    town.clock.advance(7 * 24 * 3600 + 1)
    assert town.refresh(told["refresh_token"])[0] == 401
    town.platform.settle()
    assert town.platform.home.collection(_sessions()).find({}) == []


def _sessions() -> Any:
    from backbone.kept import extended
    from identity.store import SESSIONS

    return extended(SESSIONS)


def test_logging_out_ends_every_token_of_the_session(town: Town) -> None:
    _, first = town.login("ada")
    _, second = town.refresh(first["refresh_token"])
    _, other = town.login("ada")
    assert town.ask("DELETE", "/session", token=second["access_token"])[0] == 204
    assert town.me(first["access_token"]) == town.me(second["access_token"]) == 401
    assert town.refresh(second["refresh_token"])[0] == 401
    assert town.me(other["access_token"]) == 200


def test_tokens_for_devices_and_apps(town: Town) -> None:
    ask = {"purpose": "device", "subject": "d1", "workspace": "ada", "name": "host"}
    status, told = town.ask("POST", "/tokens", ask, town.subsystem("sensor_manager"))
    assert status == 201 and told["jti"] and told["expires"].endswith("Z")
    claims = _checker(town).check(told["token"], "device")
    assert (claims.subject, claims.workspace, claims.name) == ("d1", "ada", "host")
    app = {"purpose": "app", "subject": "dep1", "workspace": "ada", "generation": 3}
    status, told = town.ask("POST", "/tokens", app, town.subsystem("deployer"))
    assert status == 201 and _checker(town).check(told["token"], "app").generation == 3
    assert town.ask("POST", "/tokens", app, town.subsystem("sensor-manager"))[0] == 403
    assert town.ask("POST", "/tokens", app, town.login("ada")[1]["access_token"])[0] == 403
    assert town.ask("POST", "/tokens", ask | {"purpose": "user"}, town.subsystem("sensor_manager"))[0] == 422


def test_a_revoked_token_is_refused_elsewhere(town: Town) -> None:
    asker, checker = town.subsystem("sensor_manager"), _checker(town)
    _, told = town.ask("POST", "/tokens", {"purpose": "device", "subject": "d1", "workspace": "ada"}, asker)
    assert checker.valid(checker.check(told["token"]))
    assert town.ask("DELETE", f"/tokens/{told['jti']}", token=asker)[0] == 204
    assert town.ask("DELETE", f"/tokens/{told['jti']}", token=asker)[0] == 204
    assert town.ask("DELETE", "/tokens/none", token=asker)[0] == 404
    with pytest.raises(Exception, match="revoked"):
        checker.check(told["token"])


def _checker(town: Town) -> Any:
    checker = town.platform.backbone("other").tokens
    checker.catch_up()
    return checker


def test_no_secret_is_kept_or_said(town: Town) -> None:
    _, told = town.login("ada")
    town.refresh(told["refresh_token"])
    kept = json.dumps([f.doc for f in town.platform.home.collection(_sessions()).find({})])
    said = [e for topic in (KEYS, REVOCATIONS) for e in town.platform.bus.reader(topic).read_to_end()]
    everything = kept + json.dumps([e.model_dump(mode="json") for e in said])
    for secret in ("pw-ada", told["access_token"], told["refresh_token"].split(".")[1], "PRIVATE"):
        assert secret not in everything
