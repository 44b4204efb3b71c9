"""A blueprint whose routes take pydantic models and say every problem of path, query and body at once."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import wraps
from typing import Any, NoReturn, get_args, get_origin

from flask import Response, request
from flask_openapi.blueprint import APIBlueprint
from pydantic import BaseModel, ValidationError
from pydantic_core import to_json

from backbone.http_problems import JSON_PROBLEM, problem, problems_of
from contracts.errors import Invalid, Problem

Model = type[BaseModel]
STATUSES = (400, 401, 403, 404, 409, 413, 415, 422, 429, 503)


class NotJson(Exception):
    """The body cannot be read at all: 400, or 415 for another content type."""

    def __init__(self, status: int, detail: str, line: int | None = None) -> None:
        super().__init__(detail)
        self.status, self.detail, self.line = status, detail, line

    def answer(self) -> Response:
        errors = [Problem(path="body", line=self.line, rule=self.detail)]
        status, headers, body = problem(self.status, self.detail, errors)
        return Response(body, status, headers)


class Blueprint(APIBlueprint):
    """`Blueprint("devices", __name__)`; routes are `@api.get("/devices/<device>")` below /api/v1.

    A route's `path`, `query` and `body` parameters are annotated with pydantic models. It returns a model, something
    JSON can hold, None (204), a Flask Response, or a tuple of one of the first three with a status (and headers).
    """

    def __init__(self, name: str, import_name: str) -> None:
        self._models: dict[Any, tuple[Model | None, Model | None, Model | None]] = {}
        failed = {
            str(s): {
                "description": "",
                "content": {JSON_PROBLEM: {"schema": {"$ref": "#/components/schemas/ProblemBody"}}},
            }
            for s in STATUSES
        }
        responses: Any = failed
        super().__init__(name, import_name, url_prefix="/api/v1", abp_responses=responses, abp_security=[{"token": []}])

    def _collect_openapi_info(self, rule: str, func: Any, **options: Any) -> Any:
        parts = super()._collect_openapi_info(rule, func, **options)
        _, _, path, query, _, body = parts
        self._models[func] = (path, query, body)
        return parts

    def add_url_rule(
        self,
        rule: str,
        endpoint: str | None = None,
        view_func: Any = None,
        provide_automatic_options: bool | None = None,
        **options: Any,
    ) -> None:
        """The library's own view stops at the first failing section; ours stands in its place."""
        func = getattr(view_func, "__wrapped__", view_func)
        if func in self._models:
            view_func = _view(func, *self._models[func])
        super().add_url_rule(rule, endpoint, view_func, provide_automatic_options, **options)


def _view(
    func: Callable[..., Any], path: Model | None, query: Model | None, body: Model | None
) -> Callable[..., Response]:
    @wraps(func)
    def view(**parts: Any) -> Response:
        given: dict[str, Any] = {} if path else dict(parts)
        problems: list[Problem] = []
        sections: list[tuple[str, Model | None, Callable[[], Any]]] = [
            ("path", path, lambda: parts),
            ("query", query, lambda: _query(query)),
            ("body", body, _body),
        ]
        for name, model, raw in sections:
            if model is None:
                continue
            try:
                given[name] = model.model_validate(raw())
            except ValidationError as error:
                problems += problems_of(error, name)
            except NotJson as error:
                return error.answer()
        if problems:
            raise Invalid(f"The request has {len(problems)} problem{'s' * (len(problems) > 1)}.", problems)
        return answer(func(**given))

    return view


def answer(result: Any) -> Response:
    """What a route returned, as JSON."""
    if isinstance(result, Response):
        return result
    status, headers = 200, {}
    if isinstance(result, tuple):
        result, status, headers = (*result, {})[:3]
    if result is None:
        return Response(b"", 204 if status == 200 else status, headers)
    return Response(to_json(result), status, headers, content_type="application/json")


def _query(model: Model | None) -> dict[str, Any]:
    """A parameter given twice is a list where the model has one, else its first value."""
    assert model is not None
    lists = {f.alias or n for n, f in model.model_fields.items() if _is_list(f.annotation)}
    return {k: request.args.getlist(k) if k in lists else v for k, v in request.args.items()}


def _is_list(annotation: Any) -> bool:
    return get_origin(annotation) in (list, tuple) or any(get_origin(a) in (list, tuple) for a in get_args(annotation))


def _body() -> Any:
    raw = request.get_data()
    if not raw.strip():
        return {}
    if not request.is_json:
        raise NotJson(415, "The body must be JSON: send Content-Type: application/json.")
    try:
        return json.loads(raw, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise NotJson(400, f"The body is not JSON: {error.msg} in column {error.colno}.", error.lineno) from error
    except (UnicodeDecodeError, RecursionError, ValueError) as error:
        raise NotJson(400, "The body is not JSON: it is not UTF-8, too deep, or holds NaN or Infinity.") from error


def _no_constant(text: str) -> NoReturn:
    raise ValueError(text)
