"""One database role and schema for each subsystem: none sees another's tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg import sql

Facts = Mapping[str, Any]


def prepare(facts: Facts) -> None:
    """Roles `<subsystem>` with a schema of the same name, which is all of their search path."""
    if facts["database"]:
        with psycopg.connect(facts["admin"], connect_timeout=3, autocommit=True) as connection:
            known = connection.execute("select 1 from pg_database where datname = %s", (facts["database"],)).fetchone()
            if not known:
                connection.execute(sql.SQL("create database {}").format(sql.Identifier(facts["database"])))
    with psycopg.connect(facts["url"], connect_timeout=3) as connection:
        for role, password in facts["roles"].items():
            _role(connection, role, password, facts["database"])


def _role(connection: psycopg.Connection[Any], role: str, password: str, database: str) -> None:
    name = sql.Identifier(role)
    if not connection.execute("select 1 from pg_roles where rolname = %s", (role,)).fetchone():
        connection.execute(sql.SQL("create role {} login password {}").format(name, sql.Literal(password)))
    if not connection.execute("select 1 from pg_namespace where nspname = %s", (role,)).fetchone():
        connection.execute(sql.SQL("create schema {} authorization {}").format(name, name))
        connection.execute(sql.SQL("alter role {} set search_path = {}").format(name, name))
        connection.execute(sql.SQL("alter role {} set jit = off").format(name))
    if not _may_create(connection, role, database):
        # for schemas of its own; it still sees nobody else's
        connection.execute(sql.SQL("grant create on database {} to {}").format(sql.Identifier(database), name))


def _may_create(connection: psycopg.Connection[Any], role: str, database: str) -> bool:
    row = connection.execute("select has_database_privilege(%s, %s, 'CREATE')", (role, database)).fetchone()
    return bool(row and row[0])
