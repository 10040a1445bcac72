"""How good a division into parts is: what moves between them, and how even they are."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from dlg_translator.schedule.dag import Dag, Numbers, Rows, sums

LITTLE = 0.2
"""What data count for where times were measured, of the mean time of an app."""
CAPPINGS = 100
"""Each brings the biggest load nearer to a fair part; measured ones never quite reach it."""


def cut_volume(dag: Dag, part_of: Rows) -> float:
    """Return the sum of the volumes of the edges between parts."""
    total: float = dag.edge_weight[part_of[dag.src] != part_of[dag.dst]].sum().item()
    return total


def cut_edges(dag: Dag, part_of: Rows) -> int:
    """Return the number of edges between parts."""
    return int(np.count_nonzero(part_of[dag.src] != part_of[dag.dst]))


def fair_load(dag: Dag, parts: int) -> Numbers:
    """Return what each row counts when loads are evened: an app its time, all others a little.

    No row counts for more than a fair part: where one did, nothing else would be evened.
    """
    known = dag.node_weight[dag.node_weight > 0]
    measured = dag.node_weight.dtype.kind == "f"
    little = known.mean() * LITTLE if measured and len(known) else 1
    load: Numbers = np.where(dag.is_app, dag.node_weight, little)
    for _ in range(CAPPINGS):
        fair = load.sum() / max(min(parts, dag.n), 1)
        most = fair if measured else math.ceil(fair)
        if load.max(initial=0) <= most:
            break
        load = np.minimum(load, most)
    return load


def loads(dag: Dag, part_of: Rows, parts: int) -> Numbers:
    """Return how long the apps of each part take, one after the other."""
    return sums(part_of, dag.node_weight, parts)


def balance(dag: Dag, part_of: Rows, parts: int) -> float:
    """Return the biggest load of a part over the average: 1 is perfect."""
    load = loads(dag, part_of, parts)
    total = float(load.sum())
    return float(load.max()) * parts / total if total else 1.0


def quotient(dag: Dag, part_of: Rows, parts: int) -> Dag:
    """Return the graph whose nodes are the parts, with the sums of what they hold.

    Edges within a part vanish; those between the same two parts become one. It may have cycles.
    """
    between = np.flatnonzero(part_of[dag.src] != part_of[dag.dst])
    pair = part_of[dag.src[between]].astype(np.int64) * parts + part_of[dag.dst[between]]
    pairs, at = np.unique(pair, return_inverse=True)
    return replace(
        dag,
        n=parts,
        src=(pairs // parts).astype(np.int32),
        dst=(pairs % parts).astype(np.int32),
        node_weight=loads(dag, part_of, parts),
        edge_weight=sums(at, dag.edge_weight[between], len(pairs)),
        is_app=np.ones(parts, np.bool_),
        num_cpus=sums(part_of, dag.num_cpus, parts),
        memory=None,
    )


def without_empty(part_of: Rows) -> tuple[Rows, int]:
    """Return the parts numbered anew, in their order, so that none is empty, and their number."""
    used, compact = np.unique(part_of, return_inverse=True)
    return compact.astype(np.int32), len(used)
