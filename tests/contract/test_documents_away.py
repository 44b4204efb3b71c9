"""The documents promise when the backing service is away, frozen, or back again; only the real ones can be."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest

from backbone.documents import Declared, Documents, Found, Home
from backbone.documents.mongo import MongoHome
from backbone.documents.postgres import PostgresHome
from backbone.tables.postgres import SQL, Identifier, open_pool
from contracts.errors import Unavailable
from tests.support.proxy import Proxy
from tests.support.real import address, moved

pytestmark = pytest.mark.real
pytest_plugins = ["tests.support.document_homes"]


@dataclass
class Far:
    """A collection behind a proxy; an answer may take a second."""

    home: Home
    docs: Documents
    proxy: Proxy


@contextmanager
def postgres(url: str, name: str) -> Iterator[Home]:
    pool = open_pool(url, 4, seconds=1)
    yield PostgresHome(pool, name)
    pool.query(SQL("DROP SCHEMA {} CASCADE").format(Identifier(name)))
    pool.close()


@contextmanager
def mongo(url: str, name: str) -> Iterator[Home]:
    home = MongoHome(url, name, seconds=1)
    yield home
    home.client.drop_database(name)
    home.close()


@pytest.fixture(params=[(postgres, "POSTGRES_URL", 5432), (mongo, "MONGO_URL", 27017)], ids=["postgres", "mongo"])
def far(request: pytest.FixtureRequest, declared: Declared) -> Iterator[Far]:
    opened, setting, port = request.param
    parts = urlsplit(address(setting))
    if "," in parts.netloc or "+" in parts.scheme or not parts.hostname:
        pytest.skip(f"{setting} names several servers, which one proxy cannot stand for")
    with (
        Proxy(parts.hostname, parts.port or port) as proxy,
        opened(moved(address(setting), proxy.port), declared.name) as home,
    ):
        docs = home.collection(declared)
        docs.insert("a", {"due": 1})
        yield Far(home, docs, proxy)


def seconds(work: Callable[[], object]) -> float:
    start = time.monotonic()
    with pytest.raises(Unavailable):
        work()
    return time.monotonic() - start


def test_away_is_unavailable_and_back_is_used_at_once(far: Far) -> None:
    far.proxy.cut()
    for work in (lambda: far.docs.get("a"), far.home.ready, lambda: far.docs.find({}), lambda: far.docs.insert("b", {})):
        assert seconds(work) < 4
    far.proxy.mend()
    assert eventually(lambda: far.docs.get("a")) == Found("a", 1, {"due": 1})


def test_frozen_is_unavailable_and_thawed_is_used_again(far: Far) -> None:
    far.proxy.freeze()
    assert 0.5 < seconds(lambda: far.docs.get("a")) < 6
    assert seconds(lambda: far.docs.update_if("a", {"due": 1}, {"due": 2})) < 6
    far.proxy.thaw()
    found = eventually(lambda: far.docs.get("a"))
    assert found and (found.version, found.doc["due"]) in ((1, 1), (2, 2))  # nothing is known of the write


def eventually(work: Callable[[], Found | None]) -> Found | None:
    """Connections that broke may each say so once."""
    deadline = time.monotonic() + 5
    while True:
        try:
            return work()
        except Unavailable:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
