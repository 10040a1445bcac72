"""Shorten chains that no division cuts: rows that follow each other alone, in one cluster."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from dlg_translator.schedule.dag import Dag, Rows, sums


@dataclass(frozen=True, slots=True)
class Contracted:
    """A smaller graph with the same paths, and which of its nodes each row went into."""

    dag: Dag
    node_of: Rows
    cluster_of: Rows
    """The cluster of each node of the smaller graph."""


def contract_chains(dag: Dag, cluster_of: Rows) -> Contracted:
    """Return the graph with each chain inside a cluster as one node of its whole time.

    However clusters are divided, the longest path of the result is that of the graph.
    """
    single_out = np.diff(dag.after.start) == 1
    single_in = np.diff(dag.before.start) == 1
    inner = single_out[dag.src] & single_in[dag.dst]
    inner &= (cluster_of[dag.src] == cluster_of[dag.dst]) & (dag.src != dag.dst)
    head = np.arange(dag.n, dtype=np.int32)
    head[dag.dst[inner]] = dag.src[inner]
    # Twice as far with each round. On a cycle of single rows that would never end.
    for _ in range(max(dag.n, 2).bit_length()):
        further = head[head]
        if (further == head).all():
            break
        head = further
    heads, node_of = np.unique(head, return_inverse=True)
    into: Rows = node_of.astype(np.int32)
    outer = ~inner
    small = replace(
        dag,
        n=len(heads),
        src=into[dag.src[outer]],
        dst=into[dag.dst[outer]],
        node_weight=sums(into, dag.node_weight, len(heads)),
        edge_weight=dag.edge_weight[outer],
        is_app=np.ones(len(heads), np.bool_),
        num_cpus=np.ones(len(heads), np.int64),
        memory=None,
    )
    return Contracted(small, into, cluster_of[heads])
