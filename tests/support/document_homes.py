"""Fixtures: every home of the documents port, so that one suite of behaviour runs against each."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest

from backbone.documents import Declared, Documents, Home
from backbone.documents.memory import MemoryHome
from backbone.documents.mongo import MongoHome
from backbone.documents.postgres import PostgresHome
from backbone.tables.postgres import SQL, Identifier, PostgresPool, open_pool
from tests.support.real import address


@contextmanager
def memory() -> Iterator[Home]:
    yield MemoryHome()


@contextmanager
def postgres() -> Iterator[Home]:
    with pool_on(address("POSTGRES_URL")) as pool, home_on(pool) as home:
        yield home


@contextmanager
def postgres_in_english() -> Iterator[Home]:
    """A database whose own order of text is a language's, not that of bytes."""
    name, url = unique("english"), address("POSTGRES_URL")
    with pool_on(url) as outer:
        outer.query(SQL("CREATE DATABASE {} TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en-US' ENCODING 'UTF8'")
                    .format(Identifier(name)))
        try:
            with pool_on(urlsplit(url)._replace(path=f"/{name}").geturl()) as pool, home_on(pool) as home:
                assert pool.query("SELECT 'a' < 'B', 'a' < ('B' COLLATE \"C\")") == [(True, False)]
                yield home
        finally:
            outer.query(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))


@contextmanager
def mongo() -> Iterator[Home]:
    home = MongoHome(address("MONGO_URL"), unique("suite_"))
    try:
        yield home
    finally:
        home.client.drop_database(home.database.name)
        home.close()


@contextmanager
def pool_on(url: str) -> Iterator[PostgresPool]:
    pool = open_pool(url, 8)
    try:
        yield pool
    finally:
        pool.close()


@contextmanager
def home_on(pool: PostgresPool) -> Iterator[Home]:
    schema = unique("suite_")
    try:
        yield PostgresHome(pool, schema)
    finally:
        pool.query(SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(Identifier(schema)))


def unique(prefix: str) -> str:
    return prefix + uuid.uuid4().hex[:12]


HOMES = {made.__name__: made for made in (memory, postgres, postgres_in_english, mongo)}


@pytest.fixture(
    scope="session",
    params=[pytest.param(name, marks=[] if name == "memory" else pytest.mark.real) for name in HOMES])
def home(request: pytest.FixtureRequest) -> Iterator[Home]:
    with HOMES[request.param]() as opened:
        yield opened


@pytest.fixture
def declared() -> Declared:
    """A new name, a field of each type, a unique key of one field and one of two."""
    return Declared(
        unique("t"), {"owner": str, "name": str, "due": float, "on": bool}, (("name",), ("owner", "due")))


@pytest.fixture
def docs(home: Home, declared: Declared) -> Documents:
    return home.collection(declared)
