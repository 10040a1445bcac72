"""Parameters of a graph, in two ways.

* Text: `~name` or `~{name}` anywhere in the file stands for a value, `~~` for a tilde. Inside a
  JSON string the value is escaped, elsewhere it is written as JSON, so a filled file is sound.
* Fields: `NODE.FIELD`, the node by name or id, the field by name or id; the value is cast to the
  type of the field. The name of a global variable alone will do.

Nested parameters are flattened to dotted names. Names that nothing has are reported, all of them,
each with the nearest that there is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from dlg_translator.checks.kinds import Place, Report
from dlg_translator.formats.global_variables import is_global
from dlg_translator.model.logical import Field, LogicalGraph, Node
from dlg_translator.model.values import IllTypedError, cast

_NAME = r"[_a-zA-Z][_a-zA-Z0-9]*(?:\.[_a-zA-Z0-9]+)*"
_PLACEHOLDER = re.compile(rf"~(?:(~)|({_NAME})|\{{({_NAME})\}})")
_TOKEN = re.compile(rf'"(?:[^"\\]|\\.)*"|{_PLACEHOLDER.pattern}', re.DOTALL)


def flatten(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return nested parameters under dotted names."""
    flat: dict[str, Any] = {}
    todo = [("", parameters)]
    while todo:
        prefix, level = todo.pop()
        for key, value in level.items():
            name = f"{prefix}{key}"
            if isinstance(value, Mapping) and value:
                todo.append((f"{name}.", value))
            else:
                flat[name] = value
    return flat


@dataclass(slots=True)
class Filled:
    """A text with its placeholders filled in."""

    text: str
    used: set[str]
    unfilled: list[str]
    """Names the text has and the parameters have not; their placeholders stay."""


def fill(text: str, parameters: Mapping[str, Any]) -> Filled:
    """Return the JSON `text` with every `~name` replaced by the value of the parameter."""
    flat = flatten(parameters)
    result = Filled(text, set(), [])

    def one(match: re.Match[str], *, in_string: bool) -> str:
        if match[1]:
            return "~"
        name = match[2] or match[3]
        if name not in flat:
            if name not in result.unfilled:
                result.unfilled.append(name)
            return match[0]
        result.used.add(name)
        return _inside(flat[name]) if in_string else _outside(flat[name])

    def token(match: re.Match[str]) -> str:
        if match[0].startswith('"'):
            return _PLACEHOLDER.sub(lambda m: one(m, in_string=True), match[0])
        return one(match, in_string=False)

    result.text = _TOKEN.sub(token, text)
    return result


def report_unfilled(filled: Filled, parameters: Mapping[str, Any], report: Report) -> None:
    """Report each name in the text that has no value."""
    for name in filled.unfilled:
        hint = _nearest(name, parameters)
        report.add("unfilled-parameter", f"the parameter {name!r} has no value", hint=hint)


def set_values(graph: LogicalGraph, values: Mapping[str, Any], report: Report) -> None:
    """Give fields of `graph` the `values`, each under `NODE.FIELD` or a global's name."""
    if not values:
        return
    index = _Index(graph)
    for key, value in values.items():
        found = index.find(key)
        if not found:
            hint = _nearest(key, index.names())
            report.add("unknown-parameter", f"there is no {key!r} to set", hint=hint)
        elif len(found) > 1:
            ids = ", ".join(node.id for node, _ in found)
            what = f"{key!r} may be of any of the nodes {ids}"
            report.add("ambiguous-parameter", what)
        else:
            _set(*found[0], value, report)


def _set(node: Node, field: Field, value: Any, report: Report) -> None:
    try:
        field.set(cast(value, field.type))
    except IllTypedError as error:
        what = f"{field.name} is of type {field.type}: {error}"
        report.add("ill-typed-value", what, Place(field.pointer, node.name, node.id))


class _Index:
    """Finds fields by the names people use for them."""

    def __init__(self, graph: LogicalGraph) -> None:
        self._fields: dict[str, list[tuple[Node, Iterable[Field]]]] = {}
        self._globals: dict[str, tuple[Node, Field]] = {}
        for node in graph.nodes.values():
            for name in {node.id, node.name}:
                self._fields.setdefault(name, []).append((node, list(node.all_fields())))
            for app in node.apps():
                for name in {app.id or app.name, app.name}:
                    self._fields.setdefault(name, []).append((node, app.fields))
            if is_global(node):
                for field in node.fields:
                    self._globals.setdefault(field.name, (node, field))

    def find(self, key: str) -> list[tuple[Node, Field]]:
        """Return the fields `key` may mean, at most one of each node."""
        if key in self._globals:
            return [self._globals[key]]
        found: dict[str, tuple[Node, Field]] = {}
        for node_name, field_name in _splits(key):
            for node, fields in self._fields.get(node_name, ()):
                field = next((f for f in fields if field_name in {f.name, f.id}), None)
                if field is not None:
                    found.setdefault(node.id, (node, field))
        return list(found.values())

    def names(self) -> list[str]:
        """Return all that can be set."""
        names = list(self._globals)
        for owner, entries in self._fields.items():
            names += {f"{owner}.{f.name}" for _, fields in entries for f in fields if f.name}
        return names


def _splits(key: str) -> Iterator[tuple[str, str]]:
    """Return the ways to read `key` as node and field: either name may have dots."""
    for i, character in enumerate(key):
        if character == ".":
            yield key[:i], key[i + 1 :]


def _nearest(name: str, known: Iterable[str]) -> str:
    close = get_close_matches(name, list(known), n=1)
    return f"did you mean {close[0]!r}?" if close else ""


def _inside(value: object) -> str:
    """Return `value` for the inside of a JSON string."""
    text = json.dumps(value) if isinstance(value, list | dict) else str(value)
    return json.dumps(text)[1:-1]


def _outside(value: object) -> str:
    """Return `value` as JSON; text that is JSON already (`-p n=4`) is not quoted."""
    if isinstance(value, str):
        try:
            json.loads(value)
        except ValueError:
            return json.dumps(value)
        return value
    return json.dumps(value)
