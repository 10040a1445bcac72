"""Reading a logical graph: from any source and generation to a checked `LogicalGraph`.

The steps: text (parameters filled in), document, graph as drawn, graph as meant (configuration,
set values, global variables), checks. Everything that is wrong is told at once.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from dlg.graph.problems import Problem, errors, json_kind
from dlg_translator.checks.checks import check
from dlg_translator.checks.kinds import Place, Report, problem
from dlg_translator.formats import document as documents
from dlg_translator.formats import parameters as params
from dlg_translator.formats.document import Source
from dlg_translator.formats.global_variables import apply_globals
from dlg_translator.formats.graph_config import apply_config, choose
from dlg_translator.formats.versions import READERS, Generation, generation_of, is_palette
from dlg_translator.model.logical import LogicalGraph

LinkRules = Callable[[LogicalGraph], Iterable[Problem]]
"""Finds the links of a graph that no rule allows."""

_GRAPH_KEYS = frozenset(
    {"modelData", "graphConfigurations", "activeGraphConfigId", "nodes", "edges"}
    | {"nodeDataArray", "linkDataArray"}
)


def is_logical_graph(document: object) -> bool:
    """Whether `document`, as read from JSON, is a logical graph of any generation."""
    return generation_of(document) is not None and not is_palette(document)


def read_logical_graph(
    source: Source,
    *,
    name: str = "",
    parameters: Mapping[str, Any] | None = None,
    config: Source | None = None,
    link_rules: LinkRules | None = None,
) -> LogicalGraph:
    """Return the graph of a path, JSON text or dictionary, ready to be unrolled.

    `parameters` fills `~name` in the text and sets fields (`NODE.FIELD`); `config` is a graph
    configuration instead of the active one. Warnings are in its `problems`.
    Raises `InvalidGraphException` that lists every problem where there is an error among them.
    """
    graph = read_all(
        source, name=name, parameters=parameters, config=config, link_rules=link_rules
    )
    if errors(graph.problems):
        raise documents.refusal(graph.problems, graph.source)
    return graph


def read_all(
    source: Source,
    *,
    name: str = "",
    parameters: Mapping[str, Any] | None = None,
    config: Source | None = None,
    link_rules: LinkRules | None = None,
) -> LogicalGraph:
    """Return the graph like `read_logical_graph`, but errors also go into its `problems`.

    Raises `InvalidGraphException` only for what is no logical graph at all.
    """
    report = Report()
    document, text, values = _document(source, params.flatten(parameters or {}), report)
    graph = _drawn(document, documents.label_of(source), name, report)
    if text is not None and generation_of(document) is Generation.V4:
        _check_repeated(text, graph, report)
    params.set_values(graph, values, report)
    apply_config(graph, choose(graph, config, report), report)
    apply_globals(graph, report)
    check(graph, report)
    graph.problems = report.problems
    if link_rules is not None:
        report.problems += link_rules(graph)
    graph.problems = report.problems
    return graph


def read_drawn(source: Source, *, name: str = "") -> LogicalGraph:
    """Return the graph as it is in the file: no configuration applied, globals still nodes.

    For rewriting files. All that does not fit together is in its `problems`, errors too; raises
    `InvalidGraphException` only for what is no logical graph at all.
    """
    return drawn_in(documents.load(source), documents.label_of(source), name)


def drawn_in(document: object, label: str, name: str = "") -> LogicalGraph:
    """Return what `read_drawn` does of a document that is parsed; messages call it `label`."""
    report = Report()
    graph = _drawn(document, label, name, report)
    graph.problems = report.problems
    return graph


def _document(
    source: Source, flat: Mapping[str, Any], report: Report
) -> tuple[Any, str | None, Mapping[str, Any]]:
    """Return the document, its text if there is one, and parameters that were not text."""
    if not flat and not isinstance(source, str | bytes | Path):
        return source, None, {}
    if isinstance(source, str | bytes | Path):
        text = documents.read_text(source)
    else:
        text = json.dumps(source)
    if not flat:
        return documents.parse(text, documents.label_of(source)), text, {}
    filled = params.fill(text, flat)
    values = {k: v for k, v in flat.items() if k not in filled.used}
    if filled.used or not values:
        params.report_unfilled(filled, flat, report)
        text = filled.text  # where nothing is filled a tilde is a tilde, as in ~/data
    return documents.parse(text, documents.label_of(source)), text, values


def filled_document(
    source: Source, parameters: Mapping[str, Any], report: Report
) -> tuple[Any, Mapping[str, Any]]:
    """Return the document with its text filled in, and the parameters that are for fields."""
    document, _, values = _document(source, params.flatten(parameters), report)
    return document, values


def _drawn(document: Any, label: str, name: str, report: Report) -> LogicalGraph:
    generation = generation_of(document)
    if generation is None or is_palette(document):
        raise documents.refusal([problem("not-a-logical-graph", _what(document))], label)
    graph = READERS[generation](document, report)
    model_data = document.get("modelData")
    graph.model_data = dict(model_data) if isinstance(model_data, Mapping) else {}
    configurations = document.get("graphConfigurations")
    if isinstance(configurations, Mapping):
        graph.configurations = dict(configurations)
    graph.active_config = str(document.get("activeGraphConfigId") or "")
    if graph.active_config and graph.active_config not in graph.configurations:
        what = f"the active configuration {graph.active_config!r} is not in the file"
        report.add("active-config-missing", what, Place("/activeGraphConfigId"))
    graph.raw = {k: v for k, v in document.items() if k not in _GRAPH_KEYS}
    graph.source = label
    graph.name = name or _name(graph, label)
    return graph


def _name(graph: LogicalGraph, label: str) -> str:
    stated = graph.model_data.get("name") or graph.model_data.get("filePath")
    path = str(stated or ("" if label == documents.NAMELESS else Path(label).name))
    return PurePosixPath(path).name.removesuffix(".graph")


def _what(document: object) -> str:
    """Return in words why `document` is no logical graph."""
    if is_palette(document):
        return "it is a palette"
    if isinstance(document, list):
        return "it is a list, as physical graphs are"
    if not isinstance(document, Mapping):
        return f"it is {json_kind(document)}"
    if "nodeDataArray" in document:
        return "it is a drawing of a physical graph"
    return "it has neither nodeDataArray nor nodes and edges"


def _check_repeated(text: str, graph: LogicalGraph, report: Report) -> None:
    """Report ids that a file of the newest generation has twice, where JSON keeps the last."""
    for key in documents.repeated_keys(text):
        if key in graph.nodes:
            place = Place("/nodes", graph.nodes[key].name, key)
            report.add("duplicate-id", "it stands in the file more than once", place)
