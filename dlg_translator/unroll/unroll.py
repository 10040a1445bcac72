"""The whole way from a logical graph to a physical graph template."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from dlg.exceptions import InvalidGraphException
from dlg.graph.problems import errors, summary
from dlg_translator.formats import read_all
from dlg_translator.model.logical import LogicalGraph
from dlg_translator.model.pairs import WirePairs
from dlg_translator.model.plan import Plan
from dlg_translator.model.template import PhysicalTemplate
from dlg_translator.unroll.instances import pairs_of
from dlg_translator.unroll.lowering import lower, refusals


def unroll_graph(
    graph: Any,
    *,
    oid_prefix: str = "1",
    parameters: Mapping[str, Any] | None = None,
    config: Any = None,
    strict: bool = False,
    compat: bool = False,
) -> PhysicalTemplate:
    """Return the template that a logical graph unrolls to.

    `graph` is a path, a dictionary or JSON text, of any generation. `parameters` fills in or sets
    values, `config` is a graph configuration. With `strict` a graph that could be unrolled but
    would hang or crash is refused; `compat` makes dropspecs with every key the existing engine's
    files have. Raises `InvalidGraphException` with all problems.
    """
    if isinstance(graph, LogicalGraph):
        logical = graph
        logical.problems = [*logical.problems, *refusals(logical)]
    else:
        logical = read_all(
            graph, parameters=parameters, config=config, link_rules=refusals
        )  # fmt: skip
    return unroll_logical(logical, oid_prefix=oid_prefix, strict=strict, compat=compat)


def unroll_logical(
    graph: LogicalGraph, *, oid_prefix: str = "1", strict: bool = False, compat: bool = False
) -> PhysicalTemplate:
    """Return the template of a graph that has been read and checked."""
    refused = [p for p in graph.problems if strict and p.blocks_run] or errors(graph.problems)
    if refused:
        raise InvalidGraphException(summary(refused, graph.source), refused, graph.source)
    plan = lower(graph)
    return PhysicalTemplate(
        plan=plan,
        pairs=link_instances(plan),
        oid_prefix=oid_prefix,
        source=graph.source,
        warnings=tuple(graph.problems),
        compat=compat,
    )


def link_instances(plan: Plan) -> list[WirePairs]:
    """Return the links of all wires as arrays of rows."""
    starts: dict[str, int] = {}
    row = 0
    for entity in plan.entities.values():
        starts[entity.id] = row
        row += plan.count(entity.path)
    found = []
    for wire in plan.wires:
        src, dst = pairs_of(wire, plan)
        found.append(WirePairs(
            wire,
            (src + starts[wire.src]).astype(np.int32),
            (dst + starts[wire.dst]).astype(np.int32),
            to_app=plan.entities[wire.dst].is_app and not plan.entities[wire.src].is_app,
        ))  # fmt: skip
    return found
