"""Named ports: which drop is behind which port of an app, and how its data is encoded there.

A port is named in the app's own dropspec (`inputs: [{oid: port}]`); where the app's side is
silent, the name the data's side uses is taken. The encoding stands in the argument object of that
name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from dlg.ddap_protocol import DROPStates
from dlg.graph.dropspec import entries
from dlg.support import serialize

ARGUMENT_GROUPS = ("applicationArgs", "componentParams", "nodeAttributes")
LONG = 8
"""From how many links on what has been read of them is kept: each of many apps asks for it."""


class Port(NamedTuple):
    """One end of a link as the app sees it."""

    name: str
    """Empty when the graph does not name it."""
    drop: Any
    encoding: str
    """Empty when the graph does not say."""


def inputs(app: Any) -> list[Port]:
    """Return the ports through which `app` reads, in the order of the graph."""
    return _ports(app, app.inputs, "inputs", "consumers")


def outputs(app: Any) -> list[Port]:
    """Return the ports through which `app` writes, in the order of the graph."""
    return _ports(app, app.outputs, "outputs", "producers")


def parameter(app: Any, name: str) -> Any:
    """Return declared parameter `name` of `app`, or what came in through a port of that name.

    Raises `InvalidDropException` if that is not of the type that is declared.
    """
    for port in inputs(app):
        if port.name == name and port.drop.status is DROPStates.COMPLETED:
            value = port.drop.load(port.encoding or serialize.DEFAULT)
            return app.declared_parameters()[name].convert(value, app)
    return getattr(app, name)


def arguments(spec: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return the argument objects of a dropspec by name."""
    found: dict[str, Mapping[str, Any]] = {}
    for field in spec.get("fields") or ():
        if isinstance(field, Mapping) and "name" in field:
            found[str(field["name"])] = field
    for group in reversed(ARGUMENT_GROUPS):
        arguments = (spec.get(group) or {}).items()
        found |= {name: argument for name, argument in arguments if isinstance(argument, Mapping)}
    return found


def _ports(app: Any, drops: Sequence[Any], own_key: str, other_key: str) -> list[Port]:
    spec = app.spec
    names = _names(spec.get(own_key))
    known = arguments(spec)
    found = []
    for drop in drops:
        ports = names.get(drop.oid) or _names_there(drop, other_key).get(app.oid) or [""]
        for name in _distinct(ports):
            encoding = known.get(name, {}).get("encoding", "")
            found.append(Port(name, drop, encoding if isinstance(encoding, str) else ""))
    return found


def _names_there(drop: Any, key: str) -> dict[str, list[str]]:
    """Return the names that `drop` has for its ends; long lists are read once a graph."""
    links = drop.spec.get(key)
    if not links or len(links) < LONG:
        return _names(links)
    known: dict[tuple[int, str], dict[str, list[str]]] = drop._graph.port_names
    place = (drop._row, key)
    if place not in known:
        known[place] = _names(links)
    return known[place]


def _names(links: Any) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for oid, port in entries(links or []):
        if port:
            found.setdefault(oid, []).append(port)
    return found


def _distinct(names: Iterable[str]) -> Iterator[str]:
    return iter(dict.fromkeys(names))
