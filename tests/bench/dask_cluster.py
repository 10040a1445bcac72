"""Graphs on a Dask cluster of four single-thread workers, against the same tasks given to Dask.

    python tests/bench/dask_cluster.py [--drops 10000]

Both sides run in turns on the same cluster. For Dask a task is an app with its output; it gets
the whole graph in one call. `first` is the time from the call to the end of the first app. Busy
graphs are functions of pure Python; how many times faster N workers are than one says how well
they are fed.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
from collections.abc import Mapping, Sequence
from time import perf_counter
from typing import Any

from common import SHAPES, Spec, emit

from dlg import plugins
from dlg.graph import read_physical_graph
from dlg.testing.graphs import app, chain, data
from dlg_engine.backends.dask_cluster import cluster_here, connected

WORKERS = 4
RUNS = 3
CODE = """
import time
def f():
    end = time.perf_counter() + {seconds}
    while time.perf_counter() < end:
        pass
"""


def nothing(*_inputs: Any) -> None:
    """Do nothing."""


def lanes(drops: int, length: int = 10) -> list[Spec]:
    """Return chains of apps that do nothing, beside each other."""
    found: list[Spec] = []
    for lane in range(max(1, drops // (2 * length))):
        for spec in chain(length):
            renamed = {**spec, "oid": f"{lane}-{spec['oid']}"}
            for key in ("consumers", "outputs"):
                if key in spec:
                    renamed[key] = [f"{lane}-{oid}" for oid in spec[key]]
            found.append(renamed)
    return found


def as_tasks(specs: Sequence[Spec]) -> tuple[dict[str, Any], list[str]]:
    """Return the apps of a graph as tasks of Dask, and the keys of those nobody waits for."""
    producer = {oid: spec["oid"] for spec in specs for oid in spec.get("outputs", ())}
    needs: dict[str, list[str]] = {
        spec["oid"]: [] for spec in specs if spec["categoryType"] == "Application"
    }
    for spec in specs:
        if spec["oid"] in producer:
            for reader in spec.get("consumers", ()):
                needs[reader].append(producer[spec["oid"]])
    used = {one for before in needs.values() for one in before}
    tasks = {oid: (nothing, *before) for oid, before in needs.items()}
    return tasks, [oid for oid in tasks if oid not in used]


def plain_s(cluster: Mapping[str, Any], specs: Sequence[Spec]) -> float:
    """Return how long Dask takes for the tasks by itself."""
    tasks, ends = as_tasks(specs)
    with connected(cluster) as client:
        begun = perf_counter()
        client.get(tasks, ends)
        return perf_counter() - begun


def ours_s(cluster: Mapping[str, Any], graph: Any) -> tuple[float, float]:
    """Return how long a graph takes on the engine, and until its first app is done."""
    first: list[float] = []
    with tempfile.TemporaryDirectory() as workdir:
        begun = perf_counter()
        run = plugins.engine("dask").start(graph, workdir=workdir, **cluster)

        def look(told: Any) -> None:
            if told.done > roots and not first:
                first.append(perf_counter() - begun)

        roots = sum(not before for before in graph.neighbours[1])
        assert run.watch(progress=look)
        seconds = perf_counter() - begun
        assert run.collect().status == "FINISHED"
    return seconds, first[0]


def overhead(cluster: Mapping[str, Any], drops: int) -> None:
    """Measure graphs that do nothing."""
    shapes = {name: make for name, make in SHAPES.items() if name != "chain"} | {"lanes": lanes}
    for name, make in shapes.items():
        specs = make(drops)
        graph = read_physical_graph(specs)
        theirs, mine, first = [], [], []
        for _ in range(RUNS):
            theirs.append(plain_s(cluster, specs))
            seconds, until = ours_s(cluster, graph)
            mine.append(seconds)
            first.append(until)
        apps = len(as_tasks(specs)[0])
        emit(
            bench="dask overhead", shape=name, drops=len(specs), apps=apps,
            dask_s=statistics.median(theirs), ours_s=statistics.median(mine),
            times=statistics.median(mine) / statistics.median(theirs),
            us_an_app=statistics.median(mine) / apps * 1e6, first_s=statistics.median(first),
        )  # fmt: skip


def busy(engine: str, apps: int, seconds: float) -> None:
    """Measure how much faster N workers are than one, of N processors."""
    workers = min(WORKERS, os.cpu_count() or 1)
    function = "dlg.apps.python_function.PyFuncApp"
    code = CODE.format(seconds=seconds)
    specs = [app(f"a{n}", [f"d{n}"], function, func_code=code) for n in range(apps)]
    specs += [data(f"d{n}") for n in range(apps)]
    graph = read_physical_graph(specs)
    took = {}
    for count in (1, workers):
        if engine == "dask":
            with cluster_here(count) as cluster:
                ours_s(cluster, graph)  # a warm cluster, as everybody else's is
                took[count] = ours_s(cluster, graph)[0]
            continue
        with tempfile.TemporaryDirectory() as workdir:
            begun = perf_counter()
            plugins.engine()(graph, workdir=workdir, runner="processes", workers=count)
            took[count] = perf_counter() - begun
    emit(
        bench="busy", engine=engine, apps=apps, ms=seconds * 1000, workers=workers,
        one_s=took[1], all_s=took[workers], faster=took[1] / took[workers],
    )  # fmt: skip


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--drops", type=int, nargs="*", default=[10_000])
    options = parser.parse_args()
    with cluster_here(WORKERS) as cluster:
        for drops in options.drops:
            overhead(cluster, drops)
    busy("embedded", 1000, 0.01)
    busy("dask", 400, 0.05)


if __name__ == "__main__":
    main()
