"""Longest paths: when each node can start at the earliest, and how long the whole takes."""

from __future__ import annotations

import numpy as np

from dlg_translator.schedule.dag import Dag, Numbers, Rows
from dlg_translator.schedule.order import waves


def earliest_starts(dag: Dag, edge_cost: Numbers | None = None) -> Numbers:
    """Return when each node can start if it waits for nothing but the nodes before it.

    An edge costs nothing unless `edge_cost` says so. Raises `CycleError` if there is a cycle.
    """
    way = waves(dag)
    if edge_cost is None:
        edge_cost = np.zeros(len(dag.src), dag.node_weight.dtype)
    if way.narrow:
        return _edge_by_edge(dag, edge_cost)
    start = np.zeros(dag.n, np.result_type(dag.node_weight, edge_cost))
    for k in range(len(way)):
        edges = way.edges[way.bounds[k] : way.bounds[k + 1]]
        firsts = way.firsts[way.first_bounds[k] : way.first_bounds[k + 1]] - way.bounds[k]
        source = dag.src[edges]
        arrival = start[source] + dag.node_weight[source] + edge_cost[edges]
        start[dag.dst[edges[firsts]]] = np.maximum.reduceat(arrival, firsts)
    return start


def _edge_by_edge(dag: Dag, edge_cost: Numbers) -> Numbers:
    edges = waves(dag).edges
    source = dag.src[edges]
    delay = dag.node_weight[source] + edge_cost[edges]
    start: list[float] = [0] * dag.n
    for row, target, more in zip(
        source.tolist(), dag.dst[edges].tolist(), delay.tolist(), strict=True
    ):
        arrival = start[row] + more
        if arrival > start[target]:  # noqa: PLR1730  max() would double the time of this loop
            start[target] = arrival
    return np.asarray(start, dtype=delay.dtype)


def cut_costs(dag: Dag, part_of: Rows) -> Numbers:
    """Return for each edge what moves along it: its volume between parts, 0 within one."""
    return np.where(part_of[dag.src] != part_of[dag.dst], dag.edge_weight, 0)


def completion(dag: Dag, part_of: Rows | None = None) -> float:
    """Return the length of the longest path: its nodes' times and the volumes it moves.

    Without parts nothing moves. Raises `CycleError` if there is a cycle.
    """
    cost = None if part_of is None else cut_costs(dag, part_of)
    finish = earliest_starts(dag, cost) + dag.node_weight
    longest: float = finish.max(initial=0).item()
    return longest


def finish_times(dag: Dag, assignments: Rows) -> Numbers:
    """Return when each node ends for each row of `assignments`, which are parts of all nodes.

    All are computed together, which is many times faster than one after the other.
    """
    way = waves(dag)
    start = np.zeros((dag.n, len(assignments)), np.float64)
    part = np.ascontiguousarray(assignments.T)
    weight = dag.node_weight[:, None]
    for k in range(len(way)):
        edges = way.edges[way.bounds[k] : way.bounds[k + 1]]
        firsts = way.firsts[way.first_bounds[k] : way.first_bounds[k + 1]] - way.bounds[k]
        source, target = dag.src[edges], dag.dst[edges]
        moved = (part[source] != part[target]) * dag.edge_weight[edges, None]
        arrival = start[source] + weight[source] + moved
        start[target[firsts]] = np.maximum.reduceat(arrival, firsts, axis=0)
    return start + weight


def completions(dag: Dag, assignments: Rows) -> Numbers:
    """Return the completion for each row of `assignments`, which are parts of all nodes."""
    longest: Numbers = finish_times(dag, assignments).max(axis=0, initial=0)
    return longest


def times_to_end(dag: Dag, edge_cost: Numbers | None = None) -> Numbers:
    """Return for each node the length of the longest path from its start to the end of all."""
    return earliest_starts(dag.backwards, edge_cost) + dag.node_weight
