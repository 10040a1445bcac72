"""The steps of the translator on content from outside: texts in, graphs out.

The functions of the translator also take paths. Nothing here hands on a text that could be one:
graphs go in as bytes, configurations and hosts as objects, options only where an algorithm has
them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np

from dlg.exceptions import InvalidGraphException
from dlg.graph.documents import decode
from dlg.graph.drawing import arrange, sketch_physical
from dlg.graph.drawing.physical import FEW, Groups, groups_of
from dlg.graph.drawing.svg import to_svg
from dlg.graph.physical import PhysicalGraph
from dlg.graph.problems import Problem
from dlg.http.errors import BadRequestError
from dlg_translator.formats import fill_graph, read_all
from dlg_translator.formats.graph_config import config_name
from dlg_translator.formats.views import sketch_logical
from dlg_translator.mapping import map_graph
from dlg_translator.model.logical import LogicalGraph
from dlg_translator.model.template import PhysicalTemplate
from dlg_translator.partition import PartitionedTemplate, partition_graph
from dlg_translator.partition.options import algorithm_class, describe_options
from dlg_translator.partition.template import Template
from dlg_translator.partition.written import WrittenTemplate, read_partitioned
from dlg_translator.unroll import unroll_logical
from dlg_translator.unroll.lowering import refusals

GZIP = b"\x1f\x8b"
BRANCH = "Branch"
T = TypeVar("T")


def read_graph(
    content: bytes,
    name: str,
    parameters: Mapping[str, Any] | None = None,
    config: str | Mapping[str, Any] | None = None,
) -> LogicalGraph:
    """Return a logical graph with all its problems; refuse only what is none at all."""
    try:
        return read_all(
            text_of(content),
            name=name,
            parameters=parameters,
            config=configuration(content, config),
            link_rules=refusals,
        )
    except InvalidGraphException as error:
        raise named(error, name) from error


def text_of(content: bytes) -> bytes:
    """Return `content` if it may be the text of a graph; nothing is unpacked here."""
    if content.startswith(GZIP):
        raise BadRequestError("this is gzip; send the graph itself")
    return content


def named(error: InvalidGraphException, name: str) -> InvalidGraphException:
    """Return the same error with the name the user knows the graph by."""
    text = str(error).replace("<graph>", name or "the graph").replace("<bytes>", name)
    return InvalidGraphException(text, error.problems, name)


def configuration(content: bytes, config: str | Mapping[str, Any] | None) -> Any:
    """Return what `read_all` may be given as a configuration: an object, or None.

    A text is the id or the name of one inside the graph, and never anything else.
    """
    if config is None or config == "" or isinstance(config, Mapping):
        return config or None
    document = decode(content, "the graph")
    inner = document.get("graphConfigurations") if isinstance(document, Mapping) else None
    known = inner if isinstance(inner, Mapping) else {}
    for key, value in known.items():
        if isinstance(value, Mapping) and config in {key, config_name(value)}:
            return value
    names = ", ".join(config_name(v) or k for k, v in known.items() if isinstance(v, Mapping))
    raise BadRequestError(f"the graph has no configuration {config!r}; it has {names or 'none'}")


def fill(content: bytes, name: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the document with the parameters filled in."""
    try:
        return fill_graph(text_of(content), parameters)
    except InvalidGraphException as error:
        raise named(error, name) from error


def unroll(  # noqa: PLR0913  an option each
    content: bytes,
    name: str,
    parameters: Mapping[str, Any] | None = None,
    config: str | Mapping[str, Any] | None = None,
    *,
    oid_prefix: str = "1",
    default_app: str = "",
    zero_run: bool = False,
    strict: bool = False,
    compat: bool = False,
) -> PhysicalTemplate:
    """Return the template of a graph; `default_app` takes the place of the class of all apps.

    With `zero_run` apps are said to take no time.
    """
    logical = replace(read_graph(content, name, parameters, config), source=name or "the graph")
    template = unroll_logical(logical, oid_prefix=oid_prefix, strict=strict, compat=compat)
    if not default_app and not zero_run:
        return template
    changes: dict[str, Any] = {}
    if default_app:
        changes["dropclass"] = default_app
    if zero_run:
        changes["weight"] = 0
    entities = {
        key: replace(entity, **changes) if entity.is_app and entity.category != BRANCH else entity
        for key, entity in template.plan.entities.items()
    }
    return replace(template, plan=replace(template.plan, entities=entities))


def read_template(content: bytes, name: str) -> WrittenTemplate:
    """Return a template that was sent as a list of dropspecs."""
    text = text_of(content)
    return WrittenTemplate(decode(text, name or "the template"), name or "the template")


def divide(
    template: Template,
    algorithm: str,
    parts: int | None,
    islands: int,
    options: Mapping[str, Any],
    *,
    lenient: bool = False,
) -> PartitionedTemplate:
    """Return the division of a template.

    Raises a `UsageError` for an option that the algorithm has not; with `lenient` such options
    are left out, for callers that send the same ones whatever the algorithm.
    """
    known = describe_options(algorithm)
    unknown = [name for name in options if name not in known]
    if unknown and not lenient:
        kind = algorithm_class(algorithm).name
        raise BadRequestError(
            f"algorithm {kind} has no options {', '.join(unknown)}",
            [_no_option(kind, name, known) for name in unknown],
        )
    given = {k: v for k, v in options.items() if k in known and v not in ("", None)}
    return partition_graph(template, algorithm, parts, max(islands, 1), **given)


def _no_option(algorithm: str, name: str, known: Mapping[str, Any]) -> Problem:
    return Problem(
        code="unknown-option",
        message=f"{algorithm} has no option {name!r}",
        name=name,
        hint=f"it has {', '.join(known) or 'none'}",
    )


def place(
    divided: PartitionedTemplate,
    nodes: Sequence[str],
    islands: int | None = None,
    *,
    co_host_dim: bool | None = None,
) -> PhysicalGraph:
    """Return the graph on hosts given by name."""
    return map_graph(divided, list(nodes), islands, co_host_dim=co_host_dim)


def divided_in(template: WrittenTemplate) -> PartitionedTemplate:
    """Return the division that stands in a template."""
    return read_partitioned(template)


# -- pictures ------------------------------------------------------------------------------------


def draw_logical(graph: LogicalGraph) -> str:
    """Return the SVG of a logical graph."""
    return to_svg(arrange(replace(sketch_logical(graph), title="", note="")))


def draw_template(template: Template) -> tuple[str, Groups]:
    """Return the SVG of a template and which drops each of its boxes stands for.

    Up to a few hundred drops each is drawn; of more, those of a kind are one box.
    """
    graph = template.to_physical_graph()
    groups = _by_entity(template) if isinstance(template, PhysicalTemplate) else groups_of(graph)
    sketch = sketch_physical(graph, groups=groups)
    return to_svg(arrange(replace(sketch, title="", note=""))), groups


def _by_entity(template: PhysicalTemplate) -> Groups:
    n = len(template)
    if n <= FEW:
        return np.arange(n, dtype=np.int64), [(row, 1) for row in range(n)]
    starts = np.asarray(template.starts, np.int64)
    counts = starts[1:] - starts[:-1]
    there = counts > 0
    number = np.cumsum(there) - 1
    firsts = starts[:-1][there].tolist()
    members = list(zip(firsts, counts[there].tolist(), strict=True))
    return np.repeat(number, counts), members


def shares(divided: PartitionedTemplate, groups: Groups, most: int) -> list[list[list[int]]]:
    """Return for each box which parts its drops are in: `[part, drops]`, the biggest first."""
    group_of, members = groups
    parts = divided.num_parts
    key = group_of * parts + divided.node_of
    found, counts = np.unique(key, return_counts=True)
    boxes: list[list[list[int]]] = [[] for _ in members]
    for one, count in zip(found.tolist(), counts.tolist(), strict=True):
        boxes[one // parts].append([one % parts, count])
    return [sorted(box, key=lambda share: -share[1])[:most] for box in boxes]


def timed(work: Callable[[], T]) -> tuple[T, float]:
    """Return what `work` returns, and how many seconds it took."""
    begun = time.perf_counter()
    return work(), time.perf_counter() - begun
