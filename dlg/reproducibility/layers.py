"""Data of reproducibility before the run: for logical graphs, templates and physical graphs.

Each function takes a graph as it stands in files and adds to it what the next layer knows. Names
and keys are those of the existing system, and so is each hash.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dlg.graph.dropspec import entries
from dlg.reproducibility.blocks import Dag, Record, chain, link, order_of
from dlg.reproducibility.fields import Layer, compat_rows, logical_values, taken
from dlg.reproducibility.levels import Level, levels_kept, parse_level
from dlg.reproducibility.merkle import root_of_fields
from dlg.support.garbage import held_off

PROTOCOL = 1.0
ALGORITHM = "openssl_sha3_256"

Spec = dict[str, Any]
Fields = dict[str, Any]


def init_lgt_repro_data(logical_graph: Spec, rmode: object) -> Spec:
    """Return a logical graph with its level and what is known of each node's kind."""
    level = parse_level(rmode)
    for node in logical_graph["nodeDataArray"]:
        record: Record = {"rmode": str(level.value)}
        for kept in levels_kept(level):
            found = taken(node, compat_rows(Layer.TEMPLATE, kept, ""))
            record[kept.name] = {
                "rmode": str(kept.value),
                "lgt_data": _with_root(found),
                "lg_parenthashes": {},
            }
        node["reprodata"] = record
    data: Spec = {
        "rmode": str(level.value),
        "meta_data": {"repro_protocol": PROTOCOL, "HashingAlg": ALGORITHM},
    }
    logical_graph["reprodata"] = data | {"merkleroot": root_of_fields(data)}
    return logical_graph


def init_lg_repro_data(logical_graph: Spec) -> Spec:
    """Return a logical graph with what is known of its nodes' parameters, chained."""
    nodes: Sequence[Spec] = logical_graph["nodeDataArray"]
    data = logical_graph.get("reprodata", {})
    level = parse_level(data.get("rmode", Level.NOTHING))
    for node in nodes:
        values, arguments = logical_values(node)
        for kept in levels_kept(level):
            rows = compat_rows(Layer.LOGICAL, kept, str(node.get("category")))
            found = taken(values, rows)
            if kept in {Level.RECOMPUTE, Level.REPLICATE_COMP}:
                found |= {name: values[name] for name in arguments if values[name] is not None}
            node["reprodata"][kept.name]["lg_data"] = _with_root(found)
    dag = logical_dag(logical_graph)
    for kept in levels_kept(level):
        data[kept.name] = {"signature": chain(dag, "lg", kept)}
    return logical_graph


def init_pgt_unroll_repro_data(physical_graph_template: list[Spec]) -> list[Spec]:
    """Return an unrolled graph with what is known of each instance, chained."""
    return _add_layer(physical_graph_template, "pgt", _unrolled)


def init_pgt_partition_repro_data(physical_graph_template: list[Spec]) -> list[Spec]:
    """Return a divided graph, to whose instances their partition is added, chained anew."""

    def fields(spec: Spec, level: Level) -> Fields:
        return _unrolled(spec, level) | taken(spec, compat_rows(Layer.PARTITIONED, level, ""))

    return _add_layer(physical_graph_template, "pgt", fields)


def init_pg_repro_data(physical_graph: list[Spec]) -> list[Spec]:
    """Return a physical graph with where each drop is to run, chained."""

    def fields(spec: Spec, level: Level) -> Fields:
        return taken(spec, compat_rows(Layer.PHYSICAL, level, ""))

    return _add_layer(physical_graph, "pg", fields)


def logical_dag(logical_graph: Spec) -> Dag:
    """Return the nodes of a logical graph and their links."""
    nodes = logical_graph["nodeDataArray"]
    names = [node.get("id", node.get("key")) for node in nodes]
    index = {name: row for row, name in enumerate(names)}
    ends = [(edge["from"], edge["to"]) for edge in logical_graph["linkDataArray"]]
    after, before = link(names, ((index[source], index[target]) for source, target in ends))
    is_data = [_is_data(node) for node in nodes]
    return Dag(names, [node["reprodata"] for node in nodes], is_data, after, before)


def physical_dag(drops: Sequence[Mapping[str, Any]]) -> Dag:
    """Return the drops of a graph and the links that the existing system follows.

    These are `outputs` of apps and `consumers` of data; what is only written on the other side of
    a link does not count, nor do streams.
    """
    names = [str(drop["oid"]) for drop in drops]
    index = {name: row for row, name in enumerate(names)}
    pairs = (
        (row, index[oid])
        for row, drop in enumerate(drops)
        for key in ("outputs", "consumers")
        for oid, _ in entries(drop.get(key) or ())
    )
    after, before = link(names, pairs)
    records = [drop["reprodata"] for drop in drops]
    iids = [drop.get("iid") for drop in drops]
    return Dag(names, records, [_is_data(drop) for drop in drops], after, before, iids)


def chain_all(dag: Dag, layer: str, level: Level) -> dict[str, Any]:
    """Write the blocks of `layer` for all levels that are kept; return the signatures by level."""
    order = order_of(dag)
    return {
        kept.name: {"signature": chain(dag, layer, kept, order)} for kept in levels_kept(level)
    }


def _add_layer(
    graph: list[Spec], layer: str, fields: Callable[[Spec, Level], Fields]
) -> list[Spec]:
    """Add to each drop what `fields` knows, and signatures to the data of the graph at the end."""
    *drops, data = graph
    level = parse_level(data.get("rmode", Level.NOTHING))
    if level is Level.NOTHING:
        return graph
    with held_off():
        for drop in drops:
            for kept in levels_kept(level):
                own = drop["reprodata"].setdefault(kept.name, {"rmode": str(kept.value)})
                own[f"{layer}_data"] = _with_root(fields(drop, kept))
                own[f"{layer}_parenthashes"] = {}
        data |= chain_all(physical_dag(drops), layer, level)
    return graph


def _unrolled(spec: Spec, level: Level) -> Fields:
    kind = "data" if _is_data(spec) else "app"
    return taken(spec, compat_rows(Layer.UNROLLED, level, kind))


def _is_data(spec: Mapping[str, Any]) -> bool:
    kind = spec.get("categoryType")
    return isinstance(kind, str) and kind.lower() == "data"


def _with_root(found: Fields) -> Fields:
    return found | {"merkleroot": root_of_fields(found)}
