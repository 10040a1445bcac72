"""Graph configurations: values for some fields of a graph, kept inside its file or beside it.

A configuration names nodes and fields by id. What it names and the graph does not have is
reported as a warning: graphs are edited after configurations were made.
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from dlg.graph.problems import pointer as pointer_of
from dlg_translator.checks.kinds import Place, Report
from dlg_translator.formats.document import Source, is_json_text, label_of, load
from dlg_translator.model.logical import Field, LogicalGraph

FILE_SUFFIX = ".graphConfig"


def choose(graph: LogicalGraph, config: Source | None, report: Report) -> Mapping[str, Any]:
    """Return the configuration to apply, {} where there is none.

    `config` may be the id or the name of one in the graph, or a document or path of its own;
    without it the graph's active one is meant.
    """
    if config is None:
        return _inner(graph, graph.active_config)
    if isinstance(config, str) and not is_json_text(config):
        found = _inner(graph, config) or _by_name(graph, config)
        if found or not config.endswith(FILE_SUFFIX):
            if not found:
                _report_unknown(graph, config, report)
            return found
    document = load(config)
    if isinstance(document, Mapping):
        return document
    report.add("unknown-config", f"{label_of(config)} is not a graph configuration")
    return {}


def apply_config(graph: LogicalGraph, config: Mapping[str, Any], report: Report) -> None:
    """Give the fields that `config` names the values it has for them."""
    nodes = config.get("nodes")
    if not isinstance(nodes, Mapping):
        if nodes is not None or config:
            report.add("wrong-structure", "the configuration has no object of nodes")
        return
    fields = _fields_by_id(graph)
    for node_id, entry in nodes.items():
        own = fields.get(str(node_id))
        values = entry.get("fields") if isinstance(entry, Mapping) else None
        place = Place(_pointer(graph, config, "nodes", node_id), _name(graph, node_id), node_id)
        if own is None:
            report.add("unknown-config-node", "the graph has no such node", place)
        elif isinstance(values, Mapping):
            _apply_fields(own, values, place, report)


def _apply_fields(
    own: Mapping[str, Field], values: Mapping[str, Any], place: Place, report: Report
) -> None:
    for field_id, entry in values.items():
        field = own.get(field_id)
        if field is None:
            where = Place(f"{place.pointer}/fields{pointer_of(field_id)}", place.name, place.id)
            report.add("unknown-config-field", f"the node has no field {field_id!r}", where)
        elif isinstance(entry, Mapping) and "value" in entry:
            field.set(entry["value"])
        else:
            where = Place(f"{place.pointer}/fields{pointer_of(field_id)}", place.name, place.id)
            report.add("unknown-config-field", "the entry has no value", where)


def _fields_by_id(graph: LogicalGraph) -> dict[str, dict[str, Field]]:
    fields: dict[str, dict[str, Field]] = {}
    for node in graph.nodes.values():
        fields[node.id] = {f.id: f for f in node.all_fields()}
        for app in node.apps():
            if app.id:
                fields.setdefault(app.id, {f.id: f for f in app.fields})
    return fields


def _inner(graph: LogicalGraph, config_id: str) -> Mapping[str, Any]:
    found = graph.configurations.get(config_id)
    return found if isinstance(found, Mapping) else {}


def config_name(config: Mapping[str, Any]) -> str:
    """Return what people call a configuration."""
    data = config.get("modelData")
    stated = data.get("name") if isinstance(data, Mapping) else config.get("name")
    return str(stated or "")


def _by_name(graph: LogicalGraph, name: str) -> Mapping[str, Any]:
    for config in graph.configurations.values():
        if isinstance(config, Mapping) and config_name(config) == name:
            return config
    return {}


def _report_unknown(graph: LogicalGraph, wanted: str, report: Report) -> None:
    known = [n for c in graph.configurations.values() if (n := config_name(c))]
    known += list(graph.configurations)
    close = get_close_matches(wanted, known, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"it has {', '.join(known) or 'none'}"
    report.add("unknown-config", f"the graph has no configuration {wanted!r}", hint=hint)


def _pointer(graph: LogicalGraph, config: Mapping[str, Any], *parts: str) -> str:
    """Return the pointer of a part of `config`, in the graph's file if it is from there."""
    for config_id, inner in graph.configurations.items():
        if inner is config:
            return pointer_of("graphConfigurations", config_id, *parts)
    return pointer_of(*parts)


def _name(graph: LogicalGraph, node_id: str) -> str:
    node = graph.nodes.get(node_id)
    return "" if node is None else node.name
