"""The documents port on PostgreSQL: a JSONB table a collection, with expression indexes made from the declaration."""

from __future__ import annotations

import hashlib
from typing import Any

from backbone.documents import After, Declared, Doc, Found, Where
from backbone.documents.rules import checked, checked_id, checked_order, terms
from backbone.tables import Pool, Row, Transaction
from backbone.tables.postgres import SQL, Composable, Composed, Identifier, Jsonb, Literal
from contracts.errors import Taken

# Room in each page keeps an update of nothing indexed (a new version of a document) on its page: no index is written.
TABLE = """CREATE TABLE IF NOT EXISTS {name} (id text COLLATE "C" PRIMARY KEY, version bigint NOT NULL, doc jsonb NOT NULL)
           WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05)"""
INSERT = "INSERT INTO {name} VALUES (%(id)s, 1, %(doc)s) ON CONFLICT DO NOTHING RETURNING id"
"""A key in use is an answer here: as an error it would stand in the server's log, where an operator looks for what went wrong."""
GET = "SELECT id, version, doc FROM {name} WHERE id = %(id)s"
REPLACE = """UPDATE {name} SET version = version + 1, doc = %(doc)s WHERE id = %(id)s AND version = %(version)s
             RETURNING id"""
UPDATE_IF = """UPDATE {name} SET version = version + 1, doc = (doc || %(doc)s) - %(gone)s::text[]
               WHERE id = %(id)s AND {test} RETURNING id, version, doc"""
DELETE = "DELETE FROM {name} WHERE id = %(id)s RETURNING id"
FIND = "SELECT id, version, doc FROM {name} WHERE {test} ORDER BY {order} LIMIT %(limit)s"

CASTS: dict[type, str] = {str: '((doc->>{}) COLLATE "C")', float: "((doc->>{})::float8)", bool: "((doc->>{})::bool)"}


class PostgresHome:
    """Keeps its collections in one schema, so that each subsystem has its own under a database role of its own.

    Uses `pool` and does not close it. The schema is made if it is not there, for which the role needs CREATE on the
    database.
    """

    def __init__(self, pool: Pool, schema: str = "documents") -> None:
        self._pool, self._schema = pool, schema

    def collection(self, declared: Declared) -> PostgresDocuments:
        with self._pool.transaction() as change:
            # IF NOT EXISTS alone still fails when two replicas make the same thing at the same moment.
            change.execute("SELECT pg_advisory_xact_lock(hashtext('documents'), hashtext(%s))", (self._schema,))
            change.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", (self._schema,))
            if not change.fetch():
                change.execute(SQL("CREATE SCHEMA {}").format(Identifier(self._schema)))
            name = Identifier(self._schema, declared.name)
            change.execute(SQL(TABLE).format(name=name))
            _make_indexes(change, self._schema, declared)
        return PostgresDocuments(declared, self._pool, name)

    def ready(self) -> None:
        self._pool.ready()

    def close(self) -> None:
        """The pool's owner closes it."""


def _make_indexes(change: Transaction, schema: str, declared: Declared) -> None:
    """Those that are missing: even CREATE INDEX IF NOT EXISTS stops all writers of the table for a moment."""
    change.execute("SELECT indexname FROM pg_indexes WHERE schemaname = %s AND tablename = %s", (schema, declared.name))
    there = {name for (name,) in change.fetch()}
    for unique, key in [*((False, (field,)) for field in declared.fields), *((True, key) for key in declared.unique)]:
        name = _index_name(declared.name, key, unique)
        if name not in there:
            parts: list[Composable] = [*(_of(declared, field) for field in key), *([] if unique else [SQL("id")])]
            change.execute(SQL("CREATE {} {} ON {} ({})").format(
                SQL("UNIQUE INDEX" if unique else "INDEX"), Identifier(name), Identifier(schema, declared.name),
                SQL(", ").join(parts)))


def _index_name(collection: str, fields: tuple[str, ...], unique: bool) -> str:
    """As telling as 63 bytes allow; PostgreSQL would cut a longer one, and two could become the same."""
    name = f"{collection} {'unique' if unique else 'by'} {'+'.join(fields)}"
    return name if len(name) <= 63 else f"{name[:54]} {hashlib.sha256(name.encode()).hexdigest()[:8]}"


def _of(declared: Declared, field: str) -> Composed:
    return SQL(CASTS[declared.fields[field]]).format(Literal(field))


class PostgresDocuments:
    def __init__(self, declared: Declared, pool: Pool, name: Identifier) -> None:
        self.declared, self._pool, self._name = declared, pool, name

    def insert(self, id: str, doc: Doc) -> None:
        if not self._run(INSERT, {"id": self._id(id), "doc": Jsonb(checked(self.declared, doc))}):
            raise Taken(f"{self.declared.name}: {id}, or a unique key of it, is in use")

    def get(self, id: str) -> Found | None:
        return _found(self._run(GET, {"id": self._id(id)}))

    def replace(self, id: str, version: int, doc: Doc) -> bool:
        values = {"id": self._id(id), "version": version, "doc": Jsonb(checked(self.declared, doc))}
        return bool(self._run(REPLACE, values))

    def update_if(self, id: str, where: Where, changes: Doc) -> Found | None:
        kept = checked(self.declared, changes)
        test, values = self._where(where)
        gone = [field for field in changes if field not in kept]
        return _found(self._run(UPDATE_IF, values | {"id": self._id(id), "doc": Jsonb(kept), "gone": gone}, test=test))

    def delete(self, id: str) -> bool:
        return bool(self._run(DELETE, {"id": self._id(id)}))

    def find(
        self, where: Where, sort: str = "", down: bool = False, limit: int = 100, after: After | None = None
    ) -> list[Found]:
        after = checked_order(self.declared, sort, limit, after)
        test, values = self._where(where)
        keys: list[Composable] = [_of(self.declared, sort), SQL("id")] if sort else [SQL("id")]
        if sort:
            test = SQL("{} AND {} IS NOT NULL").format(test, keys[0])
        if after is not None:
            edge = SQL("(%(after_value)s, %(after_id)s)" if sort else "(%(after_id)s)")
            beyond = SQL("{} AND ({}) " + ("<" if down else ">") + " {}")
            test = beyond.format(test, SQL(", ").join(keys), edge)
            values |= {"after_value": after[0], "after_id": after[1]}
        order = SQL(", ").join(SQL("{} DESC" if down else "{}").format(key) for key in keys)
        rows = self._run(FIND, values | {"limit": limit}, test=test, order=order)
        return [Found(*row) for row in rows]

    def _where(self, where: Where) -> tuple[Composed, dict[str, Any]]:
        wanted = terms(self.declared, where)
        tests = [
            SQL("{} " + op + " {}").format(_of(self.declared, field), SQL(f"%(v{i})s"))
            for i, (field, op, _) in enumerate(wanted)
        ]
        return SQL(" AND ").join([*tests, SQL("true")]), {f"v{i}": value for i, (_, _, value) in enumerate(wanted)}

    def _run(self, text: str, values: dict[str, Any], **parts: Composable) -> list[Row]:
        return self._pool.query(SQL(text).format(name=self._name, **parts), values)

    def _id(self, id: str) -> str:
        return checked_id(self.declared, id)


def _found(rows: list[Row]) -> Found | None:
    return Found(*rows[0]) if rows else None
