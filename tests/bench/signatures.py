"""What signatures cost per drop: strict ones, and the data of the existing system at all levels.

    python tests/bench/signatures.py [--drops N]

Each line is a result. The strict signature of 100,000 drops that do nothing is to take 15 µs a
drop at most, and the seven levels of the existing system 150 µs.
"""

from __future__ import annotations

import argparse
import copy
import functools
import hashlib
from collections.abc import Mapping
from time import perf_counter
from typing import Any

import msgspec
from common import SHAPES, emit, median_of

from dlg.graph import read_physical_graph
from dlg.reproducibility.evidence import Ended, ends_of, strict_document
from dlg.reproducibility.layers import (
    init_lg_repro_data,
    init_lgt_repro_data,
    init_pg_repro_data,
    init_pgt_partition_repro_data,
    init_pgt_unroll_repro_data,
)
from dlg.reproducibility.levels import Level
from dlg.reproducibility.running import add_summaries, init_runtime_repro_data
from dlg.reproducibility.strict import Signer
from dlg.reproducibility.summaries import content_summary, status_summary
from dlg.support.garbage import held_off


def strict_s(specs: list[dict[str, Any]], level: Level) -> float:
    """Return how long it takes to sign a graph that has been read."""
    graph = read_physical_graph(specs)
    graph.neighbours  # noqa: B018  needed to run it in any case
    begun = perf_counter()
    Signer().sign(graph, level)
    return perf_counter() - begun


def evidence_s(specs: list[dict[str, Any]], level: Level) -> float:
    """Return how long it takes to make and write all that a run leaves behind."""
    graph = read_physical_graph(specs)
    graph.neighbours  # noqa: B018  needed to run it in any case
    ended = Ended([2] * len(graph), dict.fromkeys(ends_of(graph), "sha256:known"))
    begun = perf_counter()
    msgspec.json.encode(strict_document(graph, level, ended))
    return perf_counter() - begun


def compat_s(specs: list[dict[str, Any]]) -> tuple[float, float]:
    """Return how long all seven levels take before the run, and how long from the run on."""
    drops = copy.deepcopy(specs)
    for spec in drops:
        spec |= {"iid": "0/0", "rank": [0], "node": "host", "island": "boss", "storage": "Memory"}
        spec |= {"category": "Memory", "lg_key": "a"}
    fields = [{"name": "dropclass", "value": "a"}, {"name": "data_volume", "value": 5}]
    node = {"id": "a", "category": "Memory", "categoryType": "Data", "fields": fields}
    logical: dict[str, Any] = {"nodeDataArray": [node], "linkDataArray": []}
    init_lg_repro_data(init_lgt_repro_data(logical, Level.ALL))
    for drop in drops:
        drop["reprodata"] = copy.deepcopy(node["reprodata"])
    graph = [*drops, logical["reprodata"]]
    begun = perf_counter()
    for stage in (
        init_pgt_unroll_repro_data, init_pgt_partition_repro_data, init_pg_repro_data,
    ):  # fmt: skip
        graph = stage(graph)
    before = perf_counter()

    def told(oid: str, level: Level) -> Mapping[str, Any]:
        if level is not Level.REPRODUCE:
            return status_summary(2)
        return content_summary(hashlib.sha3_256(oid.encode()).hexdigest())  # to each its own

    with held_off():  # as a run does
        for drop in drops:
            add_summaries(drop["reprodata"], Level.ALL, functools.partial(told, drop["oid"]))
        init_runtime_repro_data({drop["oid"]: drop for drop in drops}, graph[-1])
    return before - begun, perf_counter() - before


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--drops", type=int, default=100_000)
    drops = parser.parse_args().drops
    for shape, make in SHAPES.items():
        specs = make(drops)
        for level in (Level.RERUN, Level.RECOMPUTE):
            seconds = median_of(lambda specs=specs, level=level: strict_s(specs, level))
            per = seconds / len(specs) * 1e6
            emit(what="strict", shape=shape, level=level.name, drops=len(specs), us_per_drop=per)
    for level in (Level.RECOMPUTE, Level.ALL):
        specs = SHAPES["stencil"](drops)
        seconds = median_of(lambda specs=specs, level=level: evidence_s(specs, level))
        per = seconds / len(specs) * 1e6
        emit(what="evidence", level=level.name, drops=len(specs), us_per_drop=per)
    few = SHAPES["stencil"](drops // 5)
    before, during = compat_s(few)
    for what, seconds in (("compat, three stages before", before), ("compat, the run", during)):
        emit(what=what, level="ALL", drops=len(few), us_per_drop=seconds / len(few) * 1e6)


if __name__ == "__main__":
    main()
