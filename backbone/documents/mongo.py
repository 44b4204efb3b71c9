"""The documents port on MongoDB: {_id, version, doc} a document, so that no field of ours meets one of theirs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pymongo import MongoClient, ReturnDocument, WriteConcern
from pymongo.collection import Collection
from pymongo.errors import ConnectionFailure, DuplicateKeyError, ExecutionTimeout, WriteConcernError
from pymongo.read_concern import ReadConcern

from backbone.documents import After, Declared, Doc, Found, Where
from backbone.documents.rules import checked, checked_id, checked_order, terms
from contracts.errors import Taken, Unavailable

OPERATORS = {"=": "$eq", "<": "$lt", "<=": "$lte", ">": "$gt", ">=": "$gte"}


class MongoHome:
    """Keeps its collections in one database at `address` ("mongodb://…"); a single server's says directConnection=true.

    Writes wait until a majority has them in its journal, reads see only such. No answer after `seconds` is Unavailable.
    """

    def __init__(self, address: str, database: str = "documents", seconds: float = 5.0) -> None:
        wait = int(seconds * 1000)
        self.client: MongoClient[Doc] = MongoClient(
            address, serverSelectionTimeoutMS=wait, connectTimeoutMS=wait, socketTimeoutMS=wait,
            waitQueueTimeoutMS=wait, appname="berth")
        self.database = self.client.get_database(
            database, write_concern=WriteConcern("majority", j=True), read_concern=ReadConcern("majority"))

    def collection(self, declared: Declared) -> MongoDocuments:
        kept = self.database.get_collection(declared.name)
        with _asked(declared.name):
            for field in declared.fields:
                kept.create_index([(f"doc.{field}", 1), ("_id", 1)], name=f"by {field}")
            for key in declared.unique:
                # Partial: in a plain unique index a missing field is null, and there may be one null only.
                kept.create_index(
                    [(f"doc.{field}", 1) for field in key], name=f"unique {'+'.join(key)}", unique=True,
                    partialFilterExpression={f"doc.{field}": {"$exists": True} for field in key})
        return MongoDocuments(declared, kept)

    def ready(self) -> None:
        with _asked(self.database.name):
            self.client.admin.command("ping")

    def close(self) -> None:
        self.client.close()


class MongoDocuments:
    def __init__(self, declared: Declared, kept: Collection[Doc]) -> None:
        self.declared, self._kept = declared, kept

    def insert(self, id: str, doc: Doc) -> None:
        new = {"_id": self._id(id), "version": 1, "doc": checked(self.declared, doc)}
        with _asked(self.declared.name):
            self._kept.insert_one(new)

    def get(self, id: str) -> Found | None:
        id = self._id(id)
        with _asked(self.declared.name):
            return _found(self._kept.find_one({"_id": id}))

    def replace(self, id: str, version: int, doc: Doc) -> bool:
        id = self._id(id)
        new = {"_id": id, "version": version + 1, "doc": checked(self.declared, doc)}
        with _asked(self.declared.name):
            return self._kept.replace_one({"_id": id, "version": version}, new).matched_count == 1

    def update_if(self, id: str, where: Where, changes: Doc) -> Found | None:
        kept = checked(self.declared, changes)
        orders: dict[str, Doc] = {
            "$set": {f"doc.{field}": value for field, value in kept.items()},
            "$unset": {f"doc.{field}": 1 for field in changes if field not in kept},
            "$inc": {"version": 1},
        }
        asked = {"_id": self._id(id), **self._where(where)}
        with _asked(self.declared.name):
            return _found(self._kept.find_one_and_update(
                asked, {order: what for order, what in orders.items() if what}, return_document=ReturnDocument.AFTER))

    def delete(self, id: str) -> bool:
        id = self._id(id)
        with _asked(self.declared.name):
            return self._kept.delete_one({"_id": id}).deleted_count == 1

    def find(
        self, where: Where, sort: str = "", down: bool = False, limit: int = 100, after: After | None = None
    ) -> list[Found]:
        after = checked_order(self.declared, sort, limit, after)
        tests = self._tests(where)
        if not limit:
            return []  # their limit 0 is "all"
        if sort:
            tests.append({f"doc.{sort}": {"$exists": True}})
        if after is not None:
            tests.append(_beyond(sort, "$lt" if down else "$gt", after))
        way = -1 if down else 1
        keys = [(f"doc.{sort}", way), ("_id", way)] if sort else [("_id", way)]
        with _asked(self.declared.name):
            found = self._kept.find({"$and": tests} if tests else {}).sort(keys).limit(limit)
            return [Found(raw["_id"], raw["version"], raw["doc"]) for raw in found]

    def _where(self, where: Where) -> Doc:
        tests = self._tests(where)
        return {"$and": tests} if tests else {}

    def _tests(self, where: Where) -> list[Doc]:
        return [{f"doc.{field}": {OPERATORS[op]: value}} for field, op, value in terms(self.declared, where)]

    def _id(self, id: str) -> str:
        return checked_id(self.declared, id)


def _beyond(sort: str, op: str, after: After) -> Doc:
    value, id = after
    if not sort:
        return {"_id": {op: id}}
    return {"$or": [{f"doc.{sort}": {op: value}}, {f"doc.{sort}": value, "_id": {op: id}}]}


def _found(raw: Any) -> Found | None:
    return Found(raw["_id"], raw["version"], raw["doc"]) if raw else None


@contextmanager
def _asked(collection: str) -> Iterator[None]:
    """Other errors of the server are bugs, and come as they are."""
    try:
        yield
    except DuplicateKeyError as e:
        raise Taken(f"{collection}: {(e.details or {}).get('keyValue') or 'the id or a unique key'}") from e
    except (ConnectionFailure, ExecutionTimeout, WriteConcernError) as e:
        raise Unavailable(f"MongoDB: {e}") from e
