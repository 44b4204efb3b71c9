"""What the documents promise allows, checked in one place so that no home can be more lenient than another."""

from __future__ import annotations

import json
import operator
from collections.abc import Callable, Iterator
from typing import Any

from backbone.documents import After, Declared, Doc, Where
from contracts.errors import Invalid

LARGEST_NUMBER = 2**53
LONGEST_TEXT = 500
LARGEST_DOCUMENT = 1_000_000
DEEPEST = 50

TESTS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}


def checked(declared: Declared, doc: Doc) -> Doc:
    """A deep copy without None in declared fields; Invalid if anything in it is outside the promise."""
    out: Doc = _sound(doc, declared.name, DEEPEST)
    if len(json.dumps(out, ensure_ascii=False).encode()) > LARGEST_DOCUMENT:
        raise Invalid(f"{declared.name}: a document of more than {LARGEST_DOCUMENT:,} bytes")
    return {
        field: typed(declared, field, value) if field in declared.fields else value
        for field, value in out.items()
        if value is not None or field not in declared.fields
    }


def checked_id(declared: Declared, id: str) -> str:
    if not isinstance(id, str) or not id or not _sound_text(id) or len(id.encode()) > LONGEST_TEXT:
        raise Invalid(f"{declared.name}: {id!r:.40} cannot be an id")
    return str.__str__(id)


def typed(declared: Declared, field: str, value: Any) -> Any:
    """The plain value, if it fits the declared field."""
    kind = declared.fields.get(field)
    if kind is None:
        raise Invalid(f"{declared.name}.{field}: not declared")
    fits = isinstance(value, bool) if kind is bool else (
        not isinstance(value, bool) and isinstance(value, str if kind is str else (int, float)))
    if not fits:
        raise Invalid(f"{declared.name}.{field}: {value!r:.40} is not {kind.__name__}")
    plain = _scalar(value, f"{declared.name}.{field}")
    if kind is str and len(plain.encode()) > LONGEST_TEXT:
        raise Invalid(f"{declared.name}.{field}: more than {LONGEST_TEXT} bytes")
    return plain


def terms(declared: Declared, where: Where) -> list[tuple[str, str, Any]]:
    """(field, operator, value) of each condition."""
    return list(_terms(declared, where))


def _terms(declared: Declared, where: Where) -> Iterator[tuple[str, str, Any]]:
    for field, asked in where.items():
        for one in asked if isinstance(asked, list) else [asked]:
            op, value = one if isinstance(one, tuple) and len(one) == 2 else ("=", one)
            if op not in TESTS:
                raise Invalid(f"{declared.name}.{field}: operator {op!r}")
            yield field, op, typed(declared, field, value)


def checked_order(declared: Declared, sort: str, limit: int, after: After | None) -> After | None:
    """`after` with plain values; Invalid if the order that was asked for cannot be."""
    if limit < 0:
        raise Invalid(f"{declared.name}: limit {limit}")
    if sort and sort not in declared.fields:
        raise Invalid(f"{declared.name}.{sort}: not declared")
    if after is None:
        return None
    value, id = after
    return typed(declared, sort, value) if sort else None, checked_id(declared, id)


def _sound(value: Any, at: str, levels: int) -> Any:
    if levels < 0:
        raise Invalid(f"{at}: more than {DEEPEST} levels deep")
    if isinstance(value, dict):
        return {_key(k, at): _sound(v, f"{at}.{k}", levels - 1) for k, v in value.items()}
    if isinstance(value, list):
        return [_sound(v, at, levels - 1) for v in value]
    return _scalar(value, at)


def _key(key: Any, at: str) -> str:
    if not isinstance(key, str) or not key or "." in key or key[0] == "$" or not _sound_text(key):
        raise Invalid(f"{at}: key {key!r:.40}")
    return str.__str__(key)


def _scalar(value: Any, at: str) -> Any:
    """Exactly a str, int, float, bool or None: drivers differ in what they make of subclasses."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str) and _sound_text(value):
        return str.__str__(value)
    if isinstance(value, (int, float)) and abs(value) <= LARGEST_NUMBER:  # false for nan and infinity
        return int(value) if isinstance(value, int) else float(value) + 0.0  # adding makes 0.0 of -0.0
    raise Invalid(f"{at}: {type(value).__name__} {value!r:.40}")


def _sound_text(text: str) -> bool:
    if "\0" in text:
        return False
    try:
        text.encode()  # refuses lone surrogates, and is much faster than looking for them
    except UnicodeEncodeError:
        return False
    return True
