"""Making a logical graph out of a template: what `dlg fill` and `dlg fill-config` write.

Unlike reading a graph to unroll it, this keeps what was drawn: configurations stay in the file,
global variables stay nodes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dlg.graph.problems import Problem, errors
from dlg_translator.checks.kinds import Report
from dlg_translator.formats import parameters as params
from dlg_translator.formats.document import Source, label_of, refusal
from dlg_translator.formats.graph_config import apply_config, choose
from dlg_translator.formats.loading import drawn_in, filled_document, read_drawn
from dlg_translator.formats.writing import to_document
from dlg_translator.model.logical import LogicalGraph


def fill_graph(source: Source, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the document of `source` with `parameters` filled in.

    A document stays of its generation as long as only its text is filled; setting fields makes it
    one of today's. Raises `InvalidGraphException` that lists every name without a value and every
    one the graph does not have.
    """
    report = Report()
    document, values = filled_document(source, parameters, report)
    graph = drawn_in(document, label_of(source))
    params.set_values(graph, values, report)
    _refuse(report.problems, source)
    return to_document(graph) if values else dict(document)


def configure_graph(
    source: Source, config: Source | None = None
) -> tuple[dict[str, Any], list[Problem]]:
    """Return the document of `source`, of today's generation, with a configuration applied.

    Also returns warnings: ids that the graph does not have. Without `config` the active one is
    meant; raises `InvalidGraphException` where there is no such configuration.
    """
    graph: LogicalGraph = read_drawn(source)
    report = Report()
    chosen = choose(graph, config, report)
    apply_config(graph, chosen, report)
    # Another one that is still active would overwrite the values when the graph is unrolled.
    inner = [key for key, value in graph.configurations.items() if value is chosen]
    graph.active_config = inner[0] if inner else ""
    _refuse([*errors(graph.problems), *report.problems], source)
    return to_document(graph), report.problems


def _refuse(problems: list[Problem], source: Source) -> None:
    if errors(problems):
        raise refusal(problems, label_of(source))
