"""The documents port's memory twin, for tests and one-process worlds: one lock, one dict, one dict of unique keys."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from backbone.documents import After, Declared, Doc, Found, Where
from backbone.documents.rules import TESTS, checked, checked_id, checked_order, terms
from contracts.errors import Invalid, Taken, Unavailable


class MemoryHome:
    """Keeps its collections as long as it lives itself, so that what uses it can be closed and opened again.

    A test sets `away` to a reason to take it away.
    """

    def __init__(self) -> None:
        self.away = ""
        self._lock = threading.Lock()
        self._collections: dict[str, MemoryDocuments] = {}

    def collection(self, declared: Declared) -> MemoryDocuments:
        self.ready()
        with self._lock:
            kept = self._collections.setdefault(declared.name, MemoryDocuments(declared, self.ready))
        if kept.declared != declared:
            raise Invalid(f"{declared.name} was declared otherwise before; the twin does not widen a collection")
        return kept

    def ready(self) -> None:
        if self.away:
            raise Unavailable(f"the documents are away: {self.away}")

    def close(self) -> None:
        """Keeps what is there."""


class MemoryDocuments:
    def __init__(self, declared: Declared, check: Callable[[], None] = lambda: None) -> None:
        self.declared, self._check = declared, check
        self._lock = threading.Lock()
        self._docs: dict[str, Found] = {}
        self._keys: dict[tuple[Any, ...], str] = {}  # (key's fields, its values) -> the id that has it

    def insert(self, id: str, doc: Doc) -> None:
        self._check()
        id, doc = checked_id(self.declared, id), checked(self.declared, doc)
        with self._lock:
            if id in self._docs:
                raise Taken(f"{self.declared.name}: id {id}")
            self._store(Found(id, 1, doc))

    def get(self, id: str) -> Found | None:
        self._check()
        id = checked_id(self.declared, id)
        with self._lock:
            found = self._docs.get(id)
        return found and _copy(found)

    def replace(self, id: str, version: int, doc: Doc) -> bool:
        self._check()
        id, doc = checked_id(self.declared, id), checked(self.declared, doc)
        with self._lock:
            old = self._docs.get(id)
            if old is None or old.version != version:
                return False
            self._store(Found(id, version + 1, doc))
            return True

    def update_if(self, id: str, where: Where, changes: Doc) -> Found | None:
        self._check()
        id, wanted, kept = checked_id(self.declared, id), terms(self.declared, where), checked(self.declared, changes)
        with self._lock:
            old = self._docs.get(id)
            if old is None or not _holds(old.doc, wanted):
                return None
            doc = {f: v for f, v in old.doc.items() if f not in changes} | kept
            return _copy(self._store(Found(id, old.version + 1, doc)))

    def delete(self, id: str) -> bool:
        self._check()
        id = checked_id(self.declared, id)
        with self._lock:
            old = self._docs.pop(id, None)
            for key in self._keys_of(old):
                del self._keys[key]
            return old is not None

    def find(
        self, where: Where, sort: str = "", down: bool = False, limit: int = 100, after: After | None = None
    ) -> list[Found]:
        self._check()
        wanted, after = terms(self.declared, where), checked_order(self.declared, sort, limit, after)
        with self._lock:
            got = [d for d in self._docs.values() if _holds(d.doc, wanted) and (not sort or sort in d.doc)]

        def place(found: Found) -> tuple[Any, str]:
            return (found.doc[sort] if sort else 0, found.id)

        if after is not None:
            edge = (after[0] if sort else 0, after[1])
            got = [d for d in got if (place(d) < edge if down else place(d) > edge)]
        return [_copy(d) for d in sorted(got, key=place, reverse=down)[:limit]]

    def _store(self, new: Found) -> Found:
        keys = self._keys_of(new)
        for key in keys:
            if self._keys.get(key, new.id) != new.id:
                raise Taken(f"{self.declared.name}: {key}")
        for key in self._keys_of(self._docs.get(new.id)):
            del self._keys[key]
        self._keys.update(dict.fromkeys(keys, new.id))
        self._docs[new.id] = new
        return new

    def _keys_of(self, found: Found | None) -> list[tuple[Any, ...]]:
        doc = found.doc if found else {}
        return [(key, *(doc[f] for f in key)) for key in self.declared.unique if all(f in doc for f in key)]


def _holds(doc: Doc, wanted: list[tuple[str, str, Any]]) -> bool:
    return all(field in doc and TESTS[op](doc[field], value) for field, op, value in wanted)


def _copy(found: Found) -> Found:
    return Found(found.id, found.version, _copied(found.doc))


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _copied(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_copied(v) for v in value]
    return value
