"""What a route may be asked, and reading it: all that is wrong with a request is told at once.

Values come in the path, the query, a form or a JSON object; all are read by the same table.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from enum import StrEnum
from typing import Any

from dlg.graph.problems import Problem
from dlg.http.errors import BadRequestError
from dlg.support.values import IllTypedError, boolean, integer, real


class Kind(StrEnum):
    """What a parameter is."""

    TEXT = "text"
    WHOLE = "whole"
    REAL = "real"
    FLAG = "flag"
    OBJECT = "object"
    """A JSON object, or the text of one."""
    NAMES = "names"
    """A list of texts, or one text with commas between."""


@dataclass(frozen=True, slots=True)
class Param:
    """One thing a route may be told."""

    name: str
    kind: Kind = Kind.TEXT
    help: str = ""
    default: Any = None
    required: bool = False
    least: int | None = None
    most: int | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that has been read and checked."""

    values: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    """What the table does not name, for routes that hand it on to an algorithm."""
    html: bool = False
    """Whether it was asked by a browser that opens a page."""
    document: Any = None
    """The JSON value that was sent, where the route takes one: a list, an object or another."""
    body: bytes = b""
    """What was sent, unpacked but unread, where the route takes it so."""
    last_event: str = ""
    """The id of the last event that a client got before its stream of events broke off."""
    remote: str = ""
    """The address it came from."""

    def text(self, name: str) -> str:
        """Return a text, "" where nothing was given."""
        value = self.values.get(name)
        return "" if value is None else str(value)

    def whole(self, name: str) -> int:
        """Return a whole number that has a default or is required."""
        return int(self.values[name])

    def number(self, name: str) -> int | None:
        """Return a whole number, None where nothing was given."""
        value = self.values.get(name)
        return None if value is None else int(value)

    def flag(self, name: str) -> bool:
        """Return whether something was said to be so."""
        return bool(self.values.get(name))

    def object(self, name: str) -> dict[str, Any]:
        """Return a JSON object, {} where nothing was given."""
        return dict(self.values.get(name) or {})

    def names(self, name: str) -> list[str]:
        """Return a list of texts, [] where nothing was given."""
        return list(self.values.get(name) or ())


def read_values(
    params: Sequence[Param], given: Mapping[str, Any], *, more: bool = False
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the values of `params` as their kinds, and what else was given.

    Raises `BadRequestError` with every value that is missing, wrong or, unless `more`, unknown.
    """
    known = {param.name: param for param in params}
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    for param in params:
        try:
            values[param.name] = _value(param, given.get(param.name))
        except IllTypedError as error:
            problems.append(_problem("ill-typed-parameter", param.name, str(error)))
        except _MissingError:
            problems.append(_problem("missing-parameter", param.name, "it has to be given"))
    others = {name: value for name, value in given.items() if name not in known}
    if not more:
        problems += _unknown(others, known)
    if problems:
        raise BadRequestError("the request cannot be understood", problems)
    return values, others


class _MissingError(Exception):
    """A value that has to be given was not."""


def _unknown(others: Mapping[str, Any], known: Mapping[str, Param]) -> Iterator[Problem]:
    for name in others:
        near = get_close_matches(name, known, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(known) or 'none'}"
        yield _problem("unknown-parameter", name, "there is no such parameter", hint)


def _problem(code: str, name: str, message: str, hint: str = "") -> Problem:
    return Problem(code=code, message=f"{name}: {message}", name=name, hint=hint)


def _value(param: Param, given: Any) -> Any:
    if given is None or (given == "" and param.kind is not Kind.TEXT):
        if param.required:
            raise _MissingError
        return param.default
    value = _READERS[param.kind](given)
    for limit, wrong in ((param.least, "least"), (param.most, "most")):
        if limit is None:
            continue
        if value < limit if wrong == "least" else value > limit:
            raise IllTypedError(f"at {wrong} {limit} is expected, not {value}")
    if param.required and value == "":
        raise _MissingError
    return value


def _text(given: Any) -> str:
    if isinstance(given, dict | list):
        return json.dumps(given)
    if not isinstance(given, str):
        raise IllTypedError(f"a text is expected, not {given!r}")
    return given


def _object(given: Any) -> dict[str, Any]:
    if isinstance(given, str):
        try:
            given = json.loads(given)
        except (ValueError, RecursionError) as error:
            raise IllTypedError(f"this is no JSON: {error}") from error
    if not isinstance(given, dict):
        raise IllTypedError("a JSON object is expected")
    return given


def _names(given: Any) -> list[str]:
    words = given.split(",") if isinstance(given, str) else given
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise IllTypedError("a list of names is expected")
    return [word.strip() for word in words if word.strip()]


_READERS: Mapping[Kind, Any] = {
    Kind.TEXT: _text,
    Kind.WHOLE: integer,
    Kind.REAL: real,
    Kind.FLAG: boolean,
    Kind.OBJECT: _object,
    Kind.NAMES: _names,
}
