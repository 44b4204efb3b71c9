"""Puts live routes into the OpenAPI document and, as stubs never reached, into Flask's map: a wrong method is a 405."""

from __future__ import annotations

import inspect
import re
from collections.abc import Sequence
from typing import Any, NoReturn

from flask import Flask, abort
from starlette.routing import BaseRoute, Route

from backbone.http_problems import JSON_PROBLEM

PROBLEM = {"description": "", "content": {JSON_PROBLEM: {"schema": {"$ref": "#/components/schemas/ProblemBody"}}}}


def describe(app: Flask, routes: Sequence[BaseRoute]) -> None:
    """Once, before the first request. The words are the endpoint's docstring."""
    document: dict[str, Any] = app.api_doc  # type: ignore[attr-defined]
    for route in routes:
        if not isinstance(route, Route):
            continue
        method = next(iter(route.methods or {"GET"}))
        rule = re.sub(r"\{([^}:]+)(:[^}]+)?\}", r"<\1>", route.path)
        app.add_url_rule(rule, f"live {method} {rule}", _never, methods=[method])
        document["paths"].setdefault(route.path, {})[method.lower()] = _operation(route)


def _operation(route: Route) -> dict[str, Any]:
    endpoint = getattr(route, "berth", (None, route.endpoint))[1]
    words = inspect.getdoc(endpoint) or route.name
    names = re.findall(r"\{([^}:]+)", route.path)
    return {
        "summary": words.split("\n", 1)[0],
        "description": words,
        "operationId": f"live_{route.name}",
        "security": [{"token": []}],
        "parameters": [{"name": n, "in": "path", "required": True, "schema": {"type": "string"}} for n in names],
        "responses": {"200": {"description": "as described"}, "default": PROBLEM},
    }


def _never(**_: str) -> NoReturn:
    abort(500)
