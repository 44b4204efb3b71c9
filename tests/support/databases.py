"""Databases of a test's own on the real PostgreSQL."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from backbone.tables.postgres import SQL, Identifier, open_pool
from tests.support.real import address


@contextmanager
def own_database(what: str) -> Iterator[tuple[str, str]]:
    """(its name, its URL); gone afterwards, whoever still uses it."""
    name, url = f"{what}_{uuid.uuid4().hex[:8]}", address("POSTGRES_URL")
    admin = open_pool(url, 1)
    admin.query(SQL("CREATE DATABASE {}").format(Identifier(name)))
    try:
        yield name, urlsplit(url)._replace(path=f"/{name}").geturl()
    finally:
        admin.query(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))
        admin.close()
