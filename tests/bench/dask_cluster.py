"""Graphs on a Dask cluster of four single-thread workers, against the same tasks given to Dask.

    python tests/bench/dask_cluster.py [--drops 10000 100000] [--shapes fan stencil] [--runs 3]

Both sides run in turns on the same cluster, whose scheduler has a process of its own. For Dask a
task is an app with its output, made by `delayed` beforehand; it gets all in one call of
`client.compute`. `times` is how many times as long ours takes, `first_s` the time from the call
to the end of the first app, `client_mb` and `cluster_mb` what processes have in memory after a
run. Busy graphs are functions of pure Python; how many times faster N workers are than one says
how well they are fed. `load` is that of the machine at the end: with others at work on it, take
ratios of the same line and nothing else.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import statistics
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from time import perf_counter
from typing import Any

import psutil
from common import SHAPES, Spec, emit
from dask.delayed import delayed
from distributed import wait

from dlg import plugins
from dlg.graph import read_physical_graph
from dlg.testing.graphs import app, chain, data
from dlg_engine.backends.dask_cluster import cluster_here, connected

WORKERS = 4
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


def serve(pipe: Any, workers: int) -> None:
    """Start a cluster and keep it until something is sent."""
    with cluster_here(workers) as found:
        pipe.send(found)
        pipe.recv()


@contextmanager
def cluster(workers: int) -> Iterator[dict[str, Any]]:
    """Yield what is needed to run graphs on a cluster whose scheduler is not in this process."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs, workers))
    process.start()
    try:
        yield ours.recv()
    finally:
        ours.send("enough")
        process.join()


def as_delayed(specs: Sequence[Spec]) -> tuple[list[Any], int]:
    """Return a graph as delayed calls of nothing: those that nobody waits for, and how many."""
    producer = {oid: spec["oid"] for spec in specs for oid in spec.get("outputs", ())}
    needs: dict[str, list[str]] = {
        spec["oid"]: [] for spec in specs if spec["categoryType"] == "Application"
    }
    for spec in specs:
        if spec["oid"] in producer:
            for reader in spec.get("consumers", ()):
                needs[reader].append(producer[spec["oid"]])
    used = {one for before in needs.values() for one in before}
    do_nothing = delayed(nothing, pure=False)
    made: dict[str, Any] = {}
    for oid, before in needs.items():  # apps come after those that they wait for
        made[oid] = do_nothing(*(made[one] for one in before))
    return [made[oid] for oid in made if oid not in used], len(made)


def plain_s(options: Mapping[str, Any], ends: Sequence[Any]) -> float:
    """Return how long Dask takes for delayed calls by itself."""
    with connected(options) as client:
        begun = perf_counter()
        with client.as_current():
            wait(client.compute(list(ends)))  # type: ignore[no-untyped-call]
        return perf_counter() - begun


def memory_mb() -> tuple[float, float]:
    """Return how much memory this process has, and all that it has started."""
    me = psutil.Process()
    below = sum(child.memory_info().rss for child in me.children(recursive=True))
    return me.memory_info().rss / 1e6, below / 1e6


def ours_s(options: Mapping[str, Any], graph: Any) -> tuple[float, float]:
    """Return how long a graph takes on the engine, and until its first app is done."""
    first: list[float] = []
    with tempfile.TemporaryDirectory() as workdir:
        begun = perf_counter()
        run = plugins.engine("dask").start(graph, workdir=workdir, **options)

        def look(told: Any) -> None:
            if told.done > roots and not first:
                first.append(perf_counter() - begun)

        roots = sum(not before for before in graph.neighbours[1])
        assert run.watch(progress=look)
        seconds = perf_counter() - begun
        assert run.collect().status == "FINISHED"
    return seconds, first[0]


def overhead(options: Mapping[str, Any], shape: str, drops: int, runs: int) -> None:
    """Measure graphs that do nothing."""
    specs = (SHAPES | {"lanes": lanes})[shape](drops)
    graph = read_physical_graph(specs)
    ends, apps = as_delayed(specs)
    theirs, mine, first = [], [], []
    for number in range(runs):
        took: dict[str, float] = {}
        for who in ("dask", "ours") if number % 2 else ("ours", "dask"):
            if who == "dask":
                took[who] = plain_s(options, ends)
            else:
                took[who], until = ours_s(options, graph)
                first.append(until)
        theirs.append(took["dask"])
        mine.append(took["ours"])
    client_mb, cluster_mb = memory_mb()
    emit(
        bench="dask overhead", shape=shape, drops=len(specs), apps=apps, runs=runs,
        dask_s=statistics.median(theirs), ours_s=statistics.median(mine),
        times=statistics.median(a / b for a, b in zip(mine, theirs, strict=True)),
        us_an_app=statistics.median(mine) / apps * 1e6, first_s=statistics.median(first),
        client_mb=client_mb, cluster_mb=cluster_mb, load=os.getloadavg()[0],
    )  # fmt: skip


def busy(engine: str, apps: int, seconds: float, workers: int) -> None:
    """Measure how much faster `workers` are than one."""
    function = "dlg.apps.python_function.PyFuncApp"
    code = CODE.format(seconds=seconds)
    specs = [app(f"a{n}", [f"d{n}"], function, func_code=code) for n in range(apps)]
    specs += [data(f"d{n}") for n in range(apps)]
    graph = read_physical_graph(specs)
    took = {}
    for count in (1, workers):
        if engine == "dask":
            with cluster(count) as options:
                ours_s(options, graph)  # a warm cluster, as everybody else's is
                took[count] = ours_s(options, graph)[0]
            continue
        with tempfile.TemporaryDirectory() as workdir:
            begun = perf_counter()
            plugins.engine()(graph, workdir=workdir, runner="processes", workers=count)
            took[count] = perf_counter() - begun
    emit(
        bench="busy", engine=engine, apps=apps, ms=seconds * 1000, workers=workers,
        one_s=took[1], all_s=took[workers], faster=took[1] / took[workers],
        of_ideal=took[1] / took[workers] / workers, load=os.getloadavg()[0],
    )  # fmt: skip


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--drops", type=int, nargs="*", default=[10_000])
    parser.add_argument("--shapes", nargs="*", default=["fan", "fan-gather", "stencil", "lanes"])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--busy", type=int, nargs="*", default=[2, 4])
    asked = parser.parse_args()
    if asked.drops:
        with cluster(WORKERS) as options:
            for drops in asked.drops:
                for shape in asked.shapes:
                    overhead(options, shape, drops, asked.runs)
    for workers in asked.busy:
        busy("embedded", 1000, 0.01, workers)
        busy("dask", 400, 0.05, workers)


if __name__ == "__main__":
    main()
