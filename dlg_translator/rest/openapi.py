"""The table of routes as an OpenAPI document, for programs and for people with tools."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from typing import Any, Protocol

from dlg_translator.rest.asking import Kind, Param
from dlg_translator.rest.errors import STATUS

_SCHEMAS: Mapping[Kind, Mapping[str, Any]] = {
    Kind.TEXT: {"type": "string"},
    Kind.WHOLE: {"type": "integer"},
    Kind.REAL: {"type": "number"},
    Kind.FLAG: {"type": "boolean"},
    Kind.OBJECT: {"type": "object"},
    Kind.NAMES: {"type": "array", "items": {"type": "string"}},
}
_FORMS = ("application/json", "application/x-www-form-urlencoded", "multipart/form-data")
_ERROR: Mapping[str, Any] = {
    "type": "object",
    "required": ["error", "problems"],
    "properties": {
        "error": {"type": "string"},
        "problems": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    key: {"type": "string"}
                    for key in ("code", "severity", "message", "hint", "pointer", "name", "id")
                },
            },
        },
    },
}
_WORDS: Mapping[int, str] = {
    400: "The request or the graph is wrong; all that is wrong is listed.",
    403: "A page of another site asked for it.",
    404: "It is not there.",
    405: "The route does not answer to this method.",
    409: "It is there already.",
    413: "There is too much of it.",
    421: "The request names another host.",
    502: "The manager cannot be reached, or refused.",
    503: "Too much work is waiting.",
}


class Described(Protocol):
    """What is asked of a route."""

    @property
    def method(self) -> str:
        """GET or POST."""
        ...

    @property
    def path(self) -> str:
        """With `{name}` for what is filled in."""
        ...

    @property
    def params(self) -> Sequence[Param]:
        """What it may be told."""
        ...

    @property
    def tag(self) -> str:
        """Which group it belongs to."""
        ...

    @property
    def kind(self) -> str:
        """What a good answer is."""
        ...

    @property
    def more(self) -> bool:
        """Whether it takes more than the table says."""
        ...

    @property
    def summary(self) -> str:
        """What it does."""
        ...


def describe_routes(routes: Iterable[Described]) -> dict[str, Any]:
    """Return the document of all routes."""
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "dlg translator",
            "version": version("dlg"),
            "description": "From logical graphs to physical graphs that managers can run.",
        },
        "tags": [
            {"name": "original", "description": "The routes that the EAGLE editor calls."},
            {"name": "steps", "description": "Graph in, graph out; nothing is kept."},
            {"name": "page", "description": "What the page uses; results are kept for a while."},
        ],
        "paths": paths,
        "components": {"schemas": {"Error": _ERROR}},
    }


def _operation(route: Described) -> dict[str, Any]:
    inside = [param for param in route.params if f"{{{param.name}}}" in route.path]
    others = [param for param in route.params if param not in inside]
    words = route.path.strip("/").replace("{id}", "one").replace("/", "_").replace(".", "_")
    operation: dict[str, Any] = {
        "operationId": f"{route.method.lower()}_{words or 'index'}",
        "summary": route.summary,
        "tags": [route.tag],
        "responses": {
            "200": {"description": "It is done.", "content": {route.kind.partition(";")[0]: {}}},
            **{str(status): _refusal(status) for _, status in STATUS},
        },
    }
    parameters = [_parameter(param, "path") for param in inside]
    if route.method == "GET":
        parameters += [_parameter(param, "query") for param in others]
    elif others:
        operation["requestBody"] = _body(others, more=route.more)
    if parameters:
        operation["parameters"] = parameters
    return operation


def _parameter(param: Param, place: str) -> dict[str, Any]:
    return {
        "name": param.name,
        "in": place,
        "required": place == "path" or param.required,
        "description": param.help,
        "schema": _schema(param),
    }


def _body(params: Sequence[Param], *, more: bool) -> dict[str, Any]:
    schema = {
        "type": "object",
        "properties": {p.name: {**_schema(p), "description": p.help} for p in params},
        "required": [p.name for p in params if p.required],
        "additionalProperties": more,
    }
    return {"content": {form: {"schema": schema} for form in _FORMS}}


def _schema(param: Param) -> dict[str, Any]:
    schema = dict(_SCHEMAS[param.kind])
    if param.default is not None:
        schema["default"] = param.default
    if param.least is not None:
        schema["minimum"] = param.least
    if param.most is not None:
        schema["maximum"] = param.most
    return schema


def _refusal(status: int) -> dict[str, Any]:
    reference = {"schema": {"$ref": "#/components/schemas/Error"}}
    return {"description": _WORDS[status], "content": {"application/json": reference}}
