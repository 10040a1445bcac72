"""Files of 2017 to 2024: integer keys, and through the years four ways to write a port.

Translated here into today's words: `key`/`group` (`id`/`parentId`), `text` (`name`), applications
of constructs by key, by reference or by a bare `application`; ports in lists of their own become
fields; plain keys of nodes of the first models become fields; links that name sides of boxes
(B, T, L, R) lose them.

Of a construct with applications the four lists of ports belong to them: outer and local input
ports to the input application, outer and local output ports to the output application, all to the
one where there is one. Which way a local port goes has changed through the years, so it is taken
from the links that use it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dlg_translator.checks.kinds import Report
from dlg_translator.formats.assemble import NODE_KEYS, Found, FoundLink, assemble, text
from dlg_translator.formats.fields import plain_field, read_fields, read_ports
from dlg_translator.formats.ojs import LINKS, NODES, link, node, objects
from dlg_translator.model import categories
from dlg_translator.model.logical import Field, LogicalGraph

NODE_KEY_ALIASES: Mapping[str, str] = {
    "group": "parentId",
    "text": "name",
    "embedKey": "embedId",
    "appFields": "inputAppFields",
    "application": "inputApplicationType",
    "applicationName": "inputApplicationName",
    "inputApplicationKey": "inputApplicationId",
    "outputApplicationKey": "outputApplicationId",
    "inputAppRef": "inputApplicationId",
    "outputAppRef": "outputApplicationId",
    "inputAppName": "inputApplicationName",
    "outputAppName": "outputApplicationName",
    "exitApplicationName": "outputApplicationName",
    "exitApplicationType": "outputApplicationType",
    "exitApplicationKey": "outputApplicationId",
    "exitAppRef": "outputApplicationId",
    "exitAppFields": "outputAppFields",
}
"""Old keys of nodes; one applies where the node does not have the new key with a value."""

PORT_LISTS = ("inputPorts", "outputPorts", "inputLocalPorts", "outputLocalPorts")
ARGUMENT_LISTS = ("applicationArgs", "applicationParams")

LAYOUT_KEYS = (
    NODE_KEYS
    | set(NODE_KEY_ALIASES)
    | set(PORT_LISTS)
    | set(ARGUMENT_LISTS)
    | {"key", "type", "loc", "shape", "color", "colour", "desiredSize", "size", "width", "height"}
    | {"x", "y", "isData", "canHaveInputs", "canHaveOutputs", "collapsed", "expanded", "selected"}
    | {"showPorts", "flipPorts", "drawOrderHint", "subject", "description", "comment", "category"}
    | {"figure", "isSubGraphExpanded", "precious", "readonly", "git_url", "sha", "radius", "angle"}
    | {"source", "inputAppFields", "outputAppFields", "exitAppFields", "streaming", "isReadOnly"}
)
"""Keys of the nodes of the first models that are no parameters."""

SIDES = frozenset({"B", "T", "L", "R"})
_EMPTY: tuple[object, ...] = (None, "", "None", [])


def read(document: Mapping[str, Any], report: Report) -> LogicalGraph:
    """Return the graph of a document of an earlier generation."""
    links = list(_links(document, report))
    return assemble(_nodes(document, links, report), links, report)


def _nodes(document: Mapping[str, Any], links: list[FoundLink], report: Report) -> Iterator[Found]:
    starts, ends = {f.src_port for f in links}, {f.dst_port for f in links}
    for pointer, raw in objects(document, NODES, "node", report):
        found = node(text(raw.get("key", raw.get("id"))), pointer, upgraded(raw), report)
        _add_old_fields(found, raw, report)
        _add_ports(found, raw, (starts, ends), report)
        yield found


def upgraded(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Return the keys of an old node in today's words; what has none stays as it is."""
    keys = {
        k: v
        for k, v in raw.items()
        if k not in NODE_KEY_ALIASES and k not in PORT_LISTS and k not in ARGUMENT_LISTS
    }
    for old, new in NODE_KEY_ALIASES.items():
        if raw.get(old) not in _EMPTY and keys.get(new) in _EMPTY:
            keys[new] = raw[old]
    if text(keys.get("parentId")) == "0":  # no group, in the first models
        del keys["parentId"]
    if _has_app(keys, "input") and not keys.get("inputApplicationName"):
        keys["inputApplicationName"] = text(keys.get("name"))
    return keys


def _has_app(keys: Mapping[str, Any], side: str) -> bool:
    return keys.get(f"{side}ApplicationType") not in _EMPTY or bool(keys.get(f"{side}AppFields"))


def _add_old_fields(found: Found, raw: Mapping[str, Any], report: Report) -> None:
    for key in ARGUMENT_LISTS:
        found.fields += read_fields(
            raw.get(key), f"{found.pointer}/{key}", found.place, report, "ApplicationArgument"
        )
    if "fields" not in raw:
        found.fields += [
            plain_field(k, v, found.place)
            for k, v in raw.items()
            if k not in LAYOUT_KEYS and not isinstance(v, dict | list)
        ]
    named = {f.name for f in found.fields}
    if raw.get("streaming") is True and "streaming" not in named:
        found.fields.append(plain_field("streaming", True, found.place))


def _add_ports(
    found: Found,
    raw: Mapping[str, Any],
    used: tuple[set[str], set[str]],
    report: Report,
) -> None:
    """Add the ports of the lists of ports to the fields of whom they belong to."""
    on_input, on_output = _owners(found)
    for key in PORT_LISTS:
        ports = read_ports(raw.get(key), f"{found.pointer}/{key}", found.place, report, "")
        for port in ports:
            port.usage = port.raw["usage"] = _usage(key, port, used)
        (on_input if key.startswith("input") else on_output).extend(ports)


def _owners(found: Found) -> tuple[list[Field], list[Field]]:
    """Return the fields to which input and output ports of a node belong."""
    has_input, has_output = (_has_app(found.keys, side) for side in ("input", "output"))
    category, _ = categories.today(text(found.keys.get("category")), "")
    if category not in categories.GROUPS or not (has_input or has_output):
        return found.fields, found.fields
    on_input = found.input_fields if has_input else found.output_fields
    on_output = found.output_fields if has_output else found.input_fields
    return on_input, on_output


def _usage(key: str, port: Field, used: tuple[set[str], set[str]]) -> str:
    starts, ends = used
    if "Local" in key:
        if port.id in starts:
            return "InputOutput" if port.id in ends else "OutputPort"
        if port.id in ends:
            return "InputPort"
        return "OutputPort" if key.startswith("input") else "InputPort"
    return "InputPort" if key.startswith("input") else "OutputPort"


def _links(document: Mapping[str, Any], report: Report) -> Iterator[FoundLink]:
    for pointer, raw in objects(document, LINKS, "link", report):
        found = link(pointer, raw)
        found.ports_are_sides = {found.src_port, found.dst_port} <= SIDES
        yield found
