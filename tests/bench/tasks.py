"""The same tasks here and in Dask's threaded scheduler: one app and its output are one task.

    python tests/bench/tasks.py [wide|chain[:TASKS] ...]

Dask gets its raw graph (no `delayed`, no optimisation), with as many threads; this system gets a
`PhysicalGraph`, its own raw form, and then a list of dropspecs. Making the graph
is included on all sides; each ratio is of medians of three runs that take turns.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter
from typing import Any

import dask.threaded
import numpy as np
from common import emit, nothing

from dlg.graph.physical import DropKind, Links, LinkTable, PhysicalGraph
from dlg.testing.graphs import Spec, chain, fan_gather
from dlg_engine.embedded import run_graph

WORKERS = os.cpu_count() or 1
RUNS = 3


def raw_graph(kind: str, tasks: int) -> PhysicalGraph:
    """Return a chain of tasks, or independent ones before a last that needs them all."""
    apps = np.arange(0, 2 * tasks, 2, dtype=np.int32)
    src = apps[:-1] + 1
    dst = apps[1:] if kind == "chain" else np.full(tasks - 1, apps[-1])
    return PhysicalGraph(
        oids=[f"{kind}{number}" for number in range(tasks) for kind in "ad"],
        kinds=bytes([DropKind.APP, DropKind.DATA]) * tasks,
        class_names=["dlg.apps.null.NullBarrierApp", "dlg.data.memory.InMemoryDROP"],
        class_ids=[0, 1] * tasks,
        links=Links(consumers=LinkTable(src, dst), outputs=LinkTable(apps, apps + 1)),
        specs=[{}] * (2 * tasks),
    )


def dropspecs(kind: str, tasks: int) -> list[Spec]:
    """Return the same as a list of dropspecs."""
    return chain(tasks) if kind == "chain" else fan_gather(tasks)


def ours(kind: str, tasks: int, make: Callable[[str, int], Any]) -> float:
    """Return the seconds this system takes, from making the graph to the end."""
    begun = perf_counter()
    graph = make(kind, tasks)
    with tempfile.TemporaryDirectory() as workdir:
        report = run_graph(graph, workers=WORKERS, workdir=workdir)
    assert report.status == "FINISHED"
    return perf_counter() - begun


def gather(*_values: None) -> None:
    """Do nothing with many inputs."""


def theirs(kind: str, tasks: int, pool: ThreadPoolExecutor) -> float:
    """Return the seconds Dask takes, from making its graph to the end."""
    begun = perf_counter()
    if kind == "chain":
        graph: dict[str, tuple[object, ...]] = {"t0": (nothing,)}
        graph |= {f"t{i}": (gather, f"t{i - 1}") for i in range(1, tasks)}
        end = f"t{tasks - 1}"
    else:
        graph = {f"t{i}": (nothing,) for i in range(tasks)}
        graph["end"] = (gather, [f"t{i}" for i in range(tasks)])
        end = "end"
    dask.threaded.get(graph, end, pool=pool, num_workers=WORKERS)
    return perf_counter() - begun


def main() -> None:
    """Measure what the command line asks for, or wide and chain with 10,000 and 100,000 tasks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="*", help="wide:TASKS or chain:TASKS")
    default = ["wide:10000", "chain:10000", "wide:100000", "chain:100000"]
    cases = parser.parse_args().cases or default
    ours("chain", 10, dropspecs)
    with ThreadPoolExecutor(WORKERS) as pool:
        theirs("chain", 10, pool)
        for case in cases:
            kind, _, size = case.partition(":")
            tasks = int(size)
            turns = [
                (
                    ours(kind, tasks, raw_graph),
                    ours(kind, tasks, dropspecs),
                    theirs(kind, tasks, pool),
                )
                for _ in range(RUNS)
            ]
            raw, listed, dasks = (statistics.median(times) for times in zip(*turns, strict=True))
            emit(
                bench="tasks", kind=kind, tasks=tasks, us_per_task=raw / tasks * 1e6,
                from_dropspecs_us_per_task=listed / tasks * 1e6,
                dask_us_per_task=dasks / tasks * 1e6, times_faster=dasks / raw,
                from_dropspecs_times_faster=dasks / listed,
            )  # fmt: skip


if __name__ == "__main__":
    main()
