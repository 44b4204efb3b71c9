"""What the models say of themselves: the JSON Schema editors use, and the table of keys in docs/manifest.md."""

from __future__ import annotations

import json
import types
from collections.abc import Iterator
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from contracts.manifest import Manifest
from contracts.manifest_words import written_as


def json_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of berth.yml; the rules between keys are not in it."""
    schema = Manifest.model_json_schema(by_alias=True, mode="validation")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "berth.yml"}


def schema_text() -> str:
    """The text of contracts/examples/manifest.schema.json; `python -m contracts.manifest_schema` prints it."""
    return json.dumps(json_schema(), indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def table() -> str:
    """A Markdown table of every key: its path, an example as written, what it says; required ones in bold."""
    rows = [f"| {_marked(path, field)} | {_example(field)} | {field.description} |" for path, field in fields(Manifest)]
    return "\n".join(["| key | for example | what it says |", "|---|---|---|", *rows]) + "\n"


def fields(model: type[BaseModel], path: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Each key below a model with its dotted path; <name> stands for a name the writer chooses."""
    for name, field in model.model_fields.items():
        here = f"{path}{field.alias or name}"
        yield here, field
        named, inner = _inner(field.annotation)
        if inner is not None and name != "canary":
            yield from fields(inner, f"{here}.<name>." if named else f"{here}.")


def _inner(kind: Any) -> tuple[bool, type[BaseModel] | None]:
    if get_origin(kind) is dict:
        return True, _inner(get_args(kind)[1])[1]
    if get_origin(kind) in (Union, types.UnionType):
        return next((found for part in get_args(kind) if (found := _inner(part))[1]), (False, None))
    return False, kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


def _marked(path: str, field: FieldInfo) -> str:
    return f"**`{path}`**" if field.is_required() else f"`{path}`"


def _example(field: FieldInfo) -> str:
    text = written_as((field.examples or [""])[0]).replace("|", "\\|")
    group = _inner(field.annotation)[1] is not None and text.startswith("{")
    return "" if group else f"`{text}`"


if __name__ == "__main__":
    print(schema_text(), end="")
