"""Turns what pydantic found into problems with a line, a sentence and, where one would pass, the corrected line."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from itertools import islice
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from contracts.manifest_yaml import Found, Path, dotted, resolve
from contracts.manifest_yaml_words import quoted

_PLAIN = re.compile(r"[A-Za-z0-9_./$][A-Za-z0-9_./$%+-]*( [A-Za-z0-9_./$%+-]+)*")
_TYPES = {
    "bool_type": "true or false",
    "string_type": "text",
    "model_type": "a set of keys",
    "dict_type": "a set of keys",
    "tuple_type": "a list",
    "list_type": "a list",
}
_SWITCH = {"yes": True, "on": True, "1": True, "y": True, "no": False, "off": False, "0": False, "n": False}


def written_as(value: Any) -> str:
    """The value as one would write it in berth.yml, in one line."""
    if isinstance(value, str):
        return (
            value
            if _PLAIN.fullmatch(value) and isinstance(resolve(value), str)
            else json.dumps(value, ensure_ascii=False)
        )
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {written_as(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(written_as(inner) for inner in value) + "]"
    return json.dumps(value)


def nearest(word: Any, words: Iterable[str]) -> str | None:
    """The word that was most likely meant, or None; looks at 2,000 of about the same length, to answer at once."""
    text = str(word).casefold()
    if len(text) > 200:
        return None
    room = 2 + len(text) // 3
    return _nearest(text, tuple(islice((name for name in words if abs(len(name) - len(text)) <= room), 2000)))


@lru_cache(maxsize=512)
def _nearest(word: str, words: tuple[str, ...]) -> str | None:
    known = {name.casefold(): name for name in words}
    found = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return known[found[0]] if found else None


def corrected(path: Path, value: Any) -> str:
    """The corrected line: the path's key with the value, or the value alone for an item of a list."""
    return written_as(value) if isinstance(path[-1], int) else f"{path[-1]}: {written_as(value)}"


def listed(words: Iterable[str]) -> str:
    return ", ".join(list(words)[:20])


def field_at(model: type[BaseModel], path: Path) -> tuple[FieldInfo | None, type[BaseModel] | None]:
    """The field that a path ends in, and the model whose keys stand there; None where there is no such one."""
    kind: Any = model
    field: FieldInfo | None = None
    for part in path:
        inner = _model_in(kind)
        if inner is not None and not _is_mapping(kind):
            field = _keys(inner).get(str(part))
            kind = field.annotation if field else None
        else:
            field, kind = None, (inner if inner is not None else None)
    return field, (None if _is_mapping(kind) else _model_in(kind))


def _keys(model: type[BaseModel]) -> dict[str, FieldInfo]:
    return {field.alias or name: field for name, field in model.model_fields.items()}


def _is_mapping(kind: Any) -> bool:
    return any(get_origin(inner) is dict for inner in (kind, *get_args(kind))) and get_origin(kind) is not Literal


def _model_in(kind: Any) -> type[BaseModel] | None:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return kind
    return next((found for inner in get_args(kind) if (found := _model_in(inner))), None)


def refused(error: ValidationError, model: type[BaseModel]) -> list[Found]:
    """One for each thing pydantic refused; `model` is what it validated."""
    found: list[dict[str, Any]] = [dict(one) for one in error.errors(include_url=False)]
    misspelt = {
        (*one["loc"][:-1], nearest(one["loc"][-1], _keys_at(model, one["loc"][:-1])))
        for one in found
        if one["type"] == "extra_forbidden"
    }
    return [_found(one, model) for one in found if not _follows(one, misspelt)]


def _follows(error: dict[str, Any], misspelt: set[tuple[Any, ...]]) -> bool:
    """Whether it only follows from another: a key missing that is misspelt, a list short of its refused items."""
    short = error["type"] == "too_short" and len(error["input"]) >= error["ctx"]["min_length"]
    return short or (error["type"] == "missing" and error["loc"] in misspelt)


def _keys_at(model: type[BaseModel], path: Path) -> dict[str, FieldInfo]:
    found = field_at(model, path)[1]
    return _keys(found) if found else {}


def _found(error: dict[str, Any], model: type[BaseModel]) -> Found:
    path: Path = tuple(part for part in error["loc"] if not str(part).startswith("#") and part != "[key]")
    is_key = "[key]" in error["loc"]
    key = str(path[-1]) if path else "berth.yml"
    value = None if error["type"] == "missing" else error.get("input")
    rule, hint = _words(error, path, key, is_key, model)
    return Found(path, value, rule, hint)


def _words(error: dict[str, Any], path: Path, key: str, is_key: bool, model: type[BaseModel]) -> tuple[str, str]:
    kind, context, value = error["type"], error.get("ctx", {}), error.get("input")
    place = dotted(path[:-1]) or "berth.yml"
    if kind == "berth":
        fix = context["fix"]
        hint = context["hint"] if fix is None else f"Call it {fix}." if is_key else corrected(path, fix)
        return context["rule"].replace("{key}", key), hint
    field, inner = field_at(model, path)
    example = f"{key}: {written_as(field.examples[0])}" if field and field.examples else ""
    if kind == "missing":
        return f"'{key}' is missing in {place}.", f"Add a line such as '{example}'." if example else f"Add '{key}'."
    if kind == "extra_forbidden":
        keys = _keys_at(model, path[:-1])
        meant = nearest(key, keys)
        return (
            f"No key is called {quoted(key)} in {place}.",
            f"Did you mean {meant}?" if meant else f"Choose from: {listed(keys)}.",
        )
    if kind == "literal_error":
        words = _literals(field.annotation) if field else tuple(re.findall(r"'([^']+)'", context["expected"]))
        meant = nearest(value, [word for word in words if isinstance(word, str)])
        only = words[0] if len(words) == 1 else meant
        said = " or ".join(written_as(word) for word in words)
        return f"'{key}' is {said}, not {quoted(value)}.", corrected(
            path, only
        ) if only is not None else "Write one of them."
    if kind in ("too_short", "too_long"):
        bound = "at least" if kind == "too_short" else "at most"
        number = context.get("min_length", context.get("max_length"))
        return (
            f"'{key}' holds {bound} {number}, not {context.get('actual_length')}.",
            f"For example '{example}'." if example else "",
        )
    if kind in _TYPES:
        if kind == "bool_type" and str(value).lower() in _SWITCH:
            return f"'{key}' is true or false, not {quoted(value)}.", corrected(path, _SWITCH[str(value).lower()])
        if kind == "tuple_type" and isinstance(value, str) and not re.search(r"[\s,]", value):
            return (
                f"'{key}' is a list, not {quoted(value)}.",
                f"A list of one is written '{key}: [{written_as(value)}]'.",
            )
        keys = _keys(inner) if inner else {}
        hint = f"For example '{example}'." if example else f"Its keys are {listed(keys)}." if keys else ""
        return f"'{key}' is {_TYPES[kind]}, not {quoted(value)}.", hint
    return f"'{key}' is not right: {error['msg']}.", ""


def _literals(kind: Any) -> tuple[Any, ...]:
    if get_origin(kind) is Literal:
        return get_args(kind)
    return tuple(word for inner in get_args(kind) for word in _literals(inner))
