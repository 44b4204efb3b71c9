"""The directory promise, the same for LDAP and the memory twin."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest

from backbone.directory import Directory, Person
from backbone.directory.ldap import LdapDirectory, open_directory
from backbone.directory.memory import MemoryDirectory
from backbone.settings import Settings
from contracts.errors import Refused, Unavailable
from tests.support.proxy import Proxy
from tests.support.real import address, moved


@dataclass(frozen=True)
class Known:
    """A directory, and somebody who is in it with at least one group."""

    directory: Directory
    username: str
    password: str


def in_memory() -> Known:
    ada = Person("ada", "Ada", "ada@example.org", ("developers", "ws-heat"))
    bob = Person("bob", "Bob", "bob@example.org", ())
    return Known(MemoryDirectory([(bob, "bobs-password"), (ada, "adas-password")]), "ada", "adas-password")


def settings(**changes: str) -> Settings:
    known = {name: address(name) for name in ("LDAP_URL", "LDAP_BASE")}
    known |= {"LDAP_CA": os.environ.get("LDAP_CA", "")}
    return Settings({**known, **changes})


def account() -> dict[str, str]:
    """The tests' own person: any who is known may read people and groups."""
    user, base = address("LDAP_TEST_USER"), address("LDAP_BASE")
    return {"LDAP_BIND_USER": f"uid={user},ou=people,{base}", "LDAP_BIND_PASSWORD": address("LDAP_TEST_PASSWORD")}


def by_ldap() -> Known:
    return Known(open_directory(settings(**account())), address("LDAP_TEST_USER"), address("LDAP_TEST_PASSWORD"))


KINDS: dict[str, Callable[[], Known]] = {"memory": in_memory, "ldap": by_ldap}


@pytest.fixture(params=["memory", pytest.param("ldap", marks=pytest.mark.real)])
def known(request: pytest.FixtureRequest) -> Known:
    return KINDS[request.param]()


def test_login_gives_the_person_with_groups(known: Known) -> None:
    person = known.directory.login(known.username, known.password)
    assert person.username == known.username
    assert person.name and "@" in person.mail
    assert person.groups and list(person.groups) == sorted(person.groups)


def test_login_regards_no_case_and_gives_the_directorys_spelling(known: Known) -> None:
    assert known.directory.login(known.username.upper(), known.password).username == known.username


def test_a_wrong_password_and_an_unknown_person_are_refused_alike(known: Known) -> None:
    with pytest.raises(Refused) as wrong:
        known.directory.login(known.username, known.password + "x")
    with pytest.raises(Refused) as unknown:
        known.directory.login("nobody-of-this-name", known.password)
    assert wrong.value.detail == unknown.value.detail
    assert known.password not in wrong.value.detail


@pytest.mark.parametrize("password", ["", "\0", " ", "*", "x" * 2000, "é\u200b"])
def test_odd_passwords_are_refused(known: Known, password: str) -> None:
    with pytest.raises(Refused):
        known.directory.login(known.username, password)


ODD = ["", "*", "a*", "x)(uid=*", "*)(objectClass=*", "\\2a", "x,ou=people", "x+cn=y", "\0", "#x", " ", "é"]


@pytest.mark.parametrize("username", ODD)
def test_odd_names_are_refused(known: Known, username: str) -> None:
    with pytest.raises(Refused):
        known.directory.login(username, known.password)


@pytest.mark.parametrize("username", ODD)
def test_odd_names_find_nobody(known: Known, username: str) -> None:
    assert known.directory.find(username) is None


def test_find_gives_what_login_gives(known: Known) -> None:
    assert known.directory.find(known.username) == known.directory.login(known.username, known.password)


def test_people_are_all_by_username(known: Known) -> None:
    people = known.directory.people()
    assert known.directory.find(known.username) in people
    assert [person.username for person in people] == sorted(person.username for person in people)
    assert all(known.directory.find(person.username) == person for person in people[:5])


def test_a_directory_that_answers_is_ready(known: Known) -> None:
    known.directory.ready()


def gone_from_memory() -> Directory:
    directory = MemoryDirectory()
    directory.away = "a test says so"
    return directory


def gone_from_ldap() -> Directory:
    return open_directory(
        Settings({
            "LDAP_URL": "ldap://127.0.0.1:9", "LDAP_BASE": "dc=x", "LDAP_BIND_USER": "cn=x", "LDAP_BIND_PASSWORD": "x",
        })
    )  # fmt: skip


@pytest.mark.parametrize("make", [gone_from_memory, gone_from_ldap], ids=["memory", "ldap"])
def test_a_directory_that_is_away_is_not_a_wrong_password(make: Callable[[], Directory]) -> None:
    verbs: list[Callable[[Directory], object]] = [
        lambda one: one.login("ada", "password"), lambda one: one.find("ada"), lambda one: one.people(),
        lambda one: one.ready(),
    ]  # fmt: skip
    for verb in verbs:
        with pytest.raises(Unavailable):
            verb(make())


@pytest.mark.real
def test_without_an_account_a_person_still_logs_in() -> None:
    directory, user = open_directory(settings()), address("LDAP_TEST_USER")
    person = directory.login(user, address("LDAP_TEST_PASSWORD"))
    assert person == open_directory(settings(**account())).find(user)
    for username, password in ((user, "wrong"), ("nobody-of-this-name", "x"), *((odd, "x") for odd in ODD)):
        with pytest.raises(Refused):
            directory.login(username, password)
    with pytest.raises(Unavailable, match="LDAP_BIND_USER"):
        directory.find(user)
    directory.ready()


@pytest.mark.real
def test_a_refused_account_is_not_the_persons_fault() -> None:
    directory = open_directory(settings(**{**account(), "LDAP_BIND_PASSWORD": "wrong"}))
    with pytest.raises(Unavailable):
        directory.login(address("LDAP_TEST_USER"), address("LDAP_TEST_PASSWORD"))


@pytest.mark.real
def test_a_certificate_of_another_authority_is_not_trusted() -> None:
    address("LDAP_CA")
    directory = open_directory(settings(LDAP_CA=""))
    with pytest.raises(Unavailable):
        directory.login(address("LDAP_TEST_USER"), address("LDAP_TEST_PASSWORD"))


@pytest.mark.real
def test_the_connection_that_is_kept_for_the_question_may_break() -> None:
    url = urlsplit(address("LDAP_URL"))
    with Proxy(str(url.hostname), url.port or 636) as proxy:
        directory = open_directory(settings(LDAP_URL=moved(address("LDAP_URL"), proxy.port), **account()))
        directory.ready()
        directory.ready()
        proxy.cut()
        with pytest.raises(Unavailable):
            directory.ready()
        proxy.mend()
        directory.ready()


def test_where_a_directory_was_is_forgotten_when_it_goes() -> None:
    """It may come back at another address of the same name, and what is said is why it cannot be reached now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        directory = LdapDirectory(f"ldap://127.0.0.1:{listener.getsockname()[1]}", "dc=berth")
        thread = threading.Thread(target=lambda: listener.accept()[0].close())
        thread.start()
        with pytest.raises(Unavailable):
            directory.login("dora", "pw")
        thread.join(10)
    for _ in range(2):
        with pytest.raises(Unavailable, match="refused"):
            directory.login("dora", "pw")
