"""The table of routes as an OpenAPI document, for programs and for people with tools."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

from dlg.http.asking import Kind, Param
from dlg.http.errors import STATUS, Statuses
from dlg.http.routes import PLACE, Route, Takes

_SCHEMAS: Mapping[Kind, Mapping[str, Any]] = {
    Kind.TEXT: {"type": "string"},
    Kind.WHOLE: {"type": "integer"},
    Kind.REAL: {"type": "number"},
    Kind.FLAG: {"type": "boolean"},
    Kind.OBJECT: {"type": "object"},
    Kind.NAMES: {"type": "array", "items": {"type": "string"}},
}
_FORMS = ("application/json", "application/x-www-form-urlencoded", "multipart/form-data")
_WORDS: Mapping[int, str] = {
    400: "The request or the graph is wrong; all that is wrong is listed.",
    401: "The token is missing, or is not the right one.",
    403: "A page of another site asked for it.",
    404: "It is not there.",
    405: "The route does not answer to this method.",
    408: "The request was begun, but did not come to its end in time.",
    409: "It is there already.",
    413: "There is too much of it.",
    415: "The body is of a type that is not taken.",
    421: "The request names another host.",
    501: "It needs a library that is not installed; the answer says which.",
    503: "Too much work is waiting.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a document tells of a route that the table of routes does not say."""

    answer: Mapping[str, Any] | None = None
    """The schema of a good answer."""
    body: Mapping[str, Any] | None = None
    """The schema of the JSON document that it takes."""
    status: int = 200
    """That of a good answer, or of the only one that there is."""


TOLD = Told()


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """What a description says besides the routes."""

    title: str
    description: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    """What the groups of routes are, by name."""
    statuses: Statuses = field(default_factory=lambda: STATUS)
    words: Mapping[int, str] = field(default_factory=dict)
    """What statuses of the service's own mean."""
    error: Mapping[str, Any] = field(default_factory=dict)
    """Properties of errors beyond `error` and `problems`."""
    secured: bool = False
    """Whether a token has to be shown."""
    told: Mapping[tuple[str, str], Told] = field(default_factory=dict)
    """More of routes, by method and path."""
    schemas: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """What answers refer to, by name."""


def describe_routes(routes: Iterable[Route[Any]], document: Document) -> dict[str, Any]:
    """Return the document of all routes."""
    refusals = _refusals(document)
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        path = PLACE.sub(r"{\1}", route.path)
        told = document.told.get((route.method, route.path), TOLD)
        paths.setdefault(path, {})[route.method.lower()] = _operation(route, told, refusals)
    if "Error" in document.schemas:
        raise ValueError("Error is the schema of what requests are refused with")
    schemas = {"Error": _error(document.error), **document.schemas}
    components: dict[str, Any] = {"schemas": schemas}
    security: dict[str, Any] = {}
    if document.secured:
        components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        security["security"] = [{"token": []}]
    return {
        "openapi": "3.1.0",
        "info": {
            "title": document.title,
            "version": version("dlg"),
            "description": document.description,
        },
        "tags": [{"name": name, "description": words} for name, words in document.tags.items()],
        "paths": paths,
        "components": components,
        **security,
    }


def _operation(route: Route[Any], told: Told, refusals: Mapping[str, Any]) -> dict[str, Any]:
    places = {match[1] for match in PLACE.finditer(route.path)}
    inside = [param for param in route.params if param.name in places]
    others = [param for param in route.params if param.name not in places]
    operation: dict[str, Any] = {
        "operationId": _name(route),
        "summary": route.summary,
        "tags": [route.tag],
        "responses": {**_good(route, told, refusals), **refusals},
    }
    parameters = [_parameter(param, "path") for param in inside]
    if route.takes is not Takes.FIELDS:
        operation["requestBody"] = _document(route, told)
    if route.takes is not Takes.FIELDS or route.method not in {"POST", "PUT"}:
        parameters += [_parameter(param, "query") for param in others]
    elif others:
        operation["requestBody"] = _body(others, more=route.more)
    if parameters:
        operation["parameters"] = parameters
    return operation


def _good(route: Route[Any], told: Told, refusals: Mapping[str, Any]) -> dict[str, Any]:
    """Return the answer to a request that is not refused; none where all are."""
    if str(told.status) in refusals:
        return {}
    content = {"schema": told.answer} if told.answer is not None else {}
    kind = route.kind.partition(";")[0]
    return {str(told.status): {"description": "It is done.", "content": {kind: content}}}


def _document(route: Route[Any], told: Told) -> dict[str, Any]:
    kind = "application/json" if route.takes is Takes.JSON else "application/octet-stream"
    schema = {"schema": told.body} if told.body is not None else {}
    content = dict.fromkeys(route.media or (kind,), schema)
    return {"content": content, "required": told.body is not None}


def _name(route: Route[Any]) -> str:
    path = PLACE.sub(lambda match: "one" if match[1] == "id" else match[1], route.path)
    words = path.strip("/").replace("/", "_").replace(".", "_")
    return f"{route.method.lower()}_{words or 'index'}"


def _parameter(param: Param, place: str) -> dict[str, Any]:
    return {
        "name": param.name,
        "in": place,
        "required": place == "path" or param.required,
        "description": param.help,
        "schema": {**_schema(param), **({"minLength": 1} if place == "path" else {})},
        # Lists are written with commas, not as one parameter an item.
        **({"style": "form", "explode": False} if param.kind is Kind.NAMES else {}),
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


def _refusals(document: Document) -> dict[str, Any]:
    words = {**_WORDS, **document.words}
    reference = {"schema": {"$ref": "#/components/schemas/Error"}}
    return {
        str(status): {
            "description": words.get(status, "It failed."),
            "content": {"application/json": reference},
        }
        for status in sorted(set(document.statuses.values()))
    }


def _error(others: Mapping[str, Any]) -> dict[str, Any]:
    """Return what errors look like."""
    keys = ("code", "severity", "message", "hint", "pointer", "name", "id")
    problem = {"type": "object", "properties": {key: {"type": "string"} for key in keys}}
    return {
        "type": "object",
        "required": ["error", "problems"],
        "properties": {
            "error": {"type": "string"},
            "problems": {"type": "array", "items": problem},
            **others,
        },
    }
