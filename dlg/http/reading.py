"""From the bytes of a body to what a handler is given; all of it happens in a thread."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import msgspec
from tornado.httputil import HTTPFile, parse_body_arguments

from dlg.http.answers import JSON
from dlg.http.asking import Asked, read_values
from dlg.http.bodies import Body
from dlg.http.errors import BadRequestError, MediaTypeError
from dlg.http.routes import Route, Takes

_LEAD_BYTES = 64
_ITEMS = msgspec.json.Decoder(list[msgspec.Raw])
_FIELDS = msgspec.json.Decoder(dict[str, msgspec.Raw])
FORMS = frozenset({"application/x-www-form-urlencoded", "multipart/form-data"})


def media_of(kind: str) -> str:
    """Return the type in a `Content-Type` header, without its parameters."""
    return kind.partition(";")[0].strip().lower()


def check_media(route: Route[Any], kind: str) -> None:
    """Refuse a body of a type that the route does not take."""
    if route.media and media_of(kind) not in route.media:
        wanted = " or ".join(route.media)
        raise MediaTypeError(f"{wanted} is expected, not {media_of(kind) or 'a body of no kind'}")


def read_request(
    route: Route[Any], given: Mapping[str, str], place: Mapping[str, str], kind: str, body: Body
) -> Asked:
    """Return what a route is asked by its query (`given`), its path and its body."""
    fields: dict[str, Any] = {}
    document, raw = None, b""
    if route.takes is Takes.FIELDS:
        fields = _fields(kind, body)
    elif route.takes is Takes.JSON:
        document = read_json(body)
    else:
        raw = body.read()
    _check_place(place)
    values, others = read_values(route.params, {**given, **fields, **place}, more=route.more)
    return Asked(values, others, document=document, body=raw)


def read_json(body: Body) -> Any:
    """Return the JSON value in a body; raise `BadRequestError` if there is none.

    What is not quite JSON but written by Python, as NaN, is read too.
    """
    with body.view() as found:
        try:
            return _in_steps(found) if body.in_file else msgspec.json.decode(found)
        except (msgspec.DecodeError, RecursionError):
            pass
    try:
        return json.loads(body.read())
    except (ValueError, RecursionError) as error:
        raise BadRequestError(f"the body is no JSON: {error}") from error


def _in_steps(text: Any) -> Any:
    """Return the value in a big text, member by member.

    The interpreter's lock is held while a text is decoded: one of 100 MB would stop all other
    threads, that of the server too, for seconds. To find where its members end takes a tenth.
    """
    start = text[:_LEAD_BYTES].lstrip()[:1]
    if start == b"[":
        return [msgspec.json.decode(member) for member in _ITEMS.decode(text)]
    if start == b"{":
        return {key: msgspec.json.decode(member) for key, member in _FIELDS.decode(text).items()}
    return msgspec.json.decode(text)


def text_of(value: bytes) -> str:
    """Return a value of a form or query."""
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        raise BadRequestError("the form is not in UTF-8") from error


def _fields(kind: str, body: Body) -> dict[str, Any]:
    """Return what stands in a form or a JSON object; raise `BadRequestError` for anything else."""
    if not body.size:
        return {}
    name = media_of(kind)
    if name == JSON:
        found = read_json(body)
        if not isinstance(found, dict):
            raise BadRequestError("the body has to be a JSON object")
        return found
    if name not in FORMS:
        raise BadRequestError(f"a form or JSON is expected, not {name or 'a body of no kind'}")
    return _form(kind, body.read())


def _form(kind: str, body: bytes) -> dict[str, Any]:
    arguments: dict[str, list[bytes]] = {}
    files: dict[str, list[HTTPFile]] = {}
    try:
        parse_body_arguments(kind, body, arguments, files)
    except Exception as error:
        raise BadRequestError(f"the form cannot be read: {error}") from error
    found = {field: text_of(values[-1]) for field, values in arguments.items()}
    return {**found, **{field: text_of(sent[-1].body) for field, sent in files.items()}}


def _check_place(place: Mapping[str, str]) -> None:
    for name, value in place.items():
        if not value.isprintable():
            raise BadRequestError(f"{name}: {value!r} has signs in it that no name has")
