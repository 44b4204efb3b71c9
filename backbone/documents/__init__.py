"""The documents port: the promise that every home (memory, PostgreSQL, MongoDB) keeps in the same way.

It is small on purpose: it holds what every home does alike, and refuses the rest with `Invalid` before an engine sees it.

values    JSON objects of at most 1,000,000 bytes as JSON: text, bool, None, list, object, and numbers (int, float) that
          are finite and within +-2**53. Text has no NUL and no lone surrogate. No dates (write RFC 3339 UTC text of fixed
          width), bytes or Decimal. An int comes back an int, a float a float; -0.0 comes back 0.0. Enum members come back
          as their plain values.
keys      text, not empty, without '.', without leading '$', without NUL; their order is not kept. At most 50 levels deep.
ids       text of 1 to 500 bytes, without NUL or lone surrogate.
declared  only declared top-level fields can be filtered, sorted or unique. Each has one type (str of at most 500 bytes,
          float for any number, bool) or is absent. None in a declared field is absence, and is not stored. So there are no
          mixed types, no missing against null, no arrays behind an index.
order     numbers as numbers, False before True, text by code point; equal ones by id. A document that lacks the field is
          not in a find sorted by it.
unique    a key over declared fields; a document that lacks one of them stands outside the key.
find      equality and ranges; all must hold; an absent field satisfies none.
version   1 at insert, and one more at each write.
lasting   what was acknowledged survives the death of the home, and every later read sees it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from contracts.errors import Invalid

Doc = dict[str, Any]

Where = Mapping[str, Any]
"""field -> value, or (operator, value) with one of = < <= > >=, or a list of such pairs that must all hold."""

After = tuple[str | float | bool | None, str]
"""Where a page ended: (the last document's value in the sorted field, its id); without a sort (None, its id)."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")


@dataclass(frozen=True)
class Declared:
    """A collection: its name, its declared fields with their types, its unique keys.

    Names are lower case, digits and _, at most 40 long. A type is str, float (any number) or bool. Opening a collection
    again with more fields or keys adds them; what a later declaration leaves out stays enforced.
    """

    name: str
    fields: Mapping[str, type]
    unique: tuple[tuple[str, ...], ...] = ()

    def __post_init__(self) -> None:
        for name in (self.name, *self.fields):
            if not _NAME.fullmatch(name):
                raise Invalid(f"{self.name}: {name!r} cannot be a collection's or a declared field's name")
        for field, kind in self.fields.items():
            if kind not in (str, float, bool):
                raise Invalid(f"{self.name}.{field}: a declared field is str, float or bool")
        for key in self.unique:
            if not key or not set(key) <= set(self.fields):
                raise Invalid(f"{self.name}: a unique key {key} needs declared fields")


@dataclass(frozen=True)
class Found:
    """A stored document at one version. `doc` is a copy: changing it changes nothing stored."""

    id: str
    version: int
    doc: Doc


class Documents(Protocol):
    """One collection; safe to share between threads.

    Every verb is one atomic step on one document. All may raise Invalid (outside the promise) and Unavailable (the home
    is away or answered late; of a write nothing is known: it may or may not have happened).
    """

    def insert(self, id: str, doc: Doc) -> None:
        """Stores a new document at version 1. Taken: the id or a unique key is in use."""

    def get(self, id: str) -> Found | None:
        """The document, or None."""

    def replace(self, id: str, version: int, doc: Doc) -> bool:
        """Puts `doc` in the place of what was read at `version`. False: not there, or someone wrote since. Taken."""

    def update_if(self, id: str, where: Where, changes: Doc) -> Found | None:
        """Sets top-level fields if `where` holds, and gives what is then stored. None: not there, or it does not hold.

        A declared field set to None is taken away. Taken: a unique key is in use.
        """

    def delete(self, id: str) -> bool:
        """False: not there."""

    def find(
        self, where: Where, sort: str = "", down: bool = False, limit: int = 100, after: After | None = None
    ) -> list[Found]:
        """At most `limit` documents for which `where` holds, by the declared field `sort` then id, or by id alone.

        `down` turns the whole order round. `after` leaves out all up to and including that place, so that lists can be
        read page by page; the document that stood there may be gone meanwhile.
        """


class Home(Protocol):
    """A place that keeps collections. Two homes on the same place see the same documents."""

    def collection(self, declared: Declared) -> Documents:
        """Opens it, made where it is not there yet; replicas may do so at the same moment.

        Unavailable; Taken: a unique key is new, and what is stored already breaks it.
        """

    def ready(self) -> None:
        """Returns when the home answers, else raises Unavailable with the reason."""

    def close(self) -> None:
        """Lets go of connections; nothing may be asked afterwards."""
