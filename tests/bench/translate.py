"""What the translator costs: unrolling, dividing, writing, and the commands, at all sizes.

    python tests/bench/translate.py [ROW ...] [--peer PYTHON] [--list]

PYTHON (or the environment's DLG_BENCH_PEER) is that of an environment with `daliuge-translator`,
`daliuge-common` and `setuptools`, which is then measured in the same run. Each result is a line of
JSON; every row runs in a process of its own, so that its peak of memory is its own.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

import logical
from common import ask_peer, emit, median_of, peak_mib, peer_option

from dlg.graph.reading import read_physical_graph
from dlg_translator import partition_graph, unroll_graph
from dlg_translator.commands import write_specs
from dlg_translator.partition.written import WrittenTemplate
from dlg_translator.unroll import unroll_graph as unroll

Result = dict[str, Any]
Graph = dict[str, Any]

HUNDRED_K, MILLION = 100_000, 1_000_000
SIZES = (1_000, 10_000, HUNDRED_K, MILLION)
PARTS = 16
HOSTS = "i0,n0,n1,n2,n3"
DLG = str(Path(sys.executable).with_name("dlg"))


RUNS = 3
"""Of a cost the minimum counts, as for all sizes, so that these can be compared."""


def time_unroll(graph: Graph, runs: int) -> Result:
    """Return the seconds from a logical graph to a list of dropspecs, at best."""
    times = []
    for _ in range(runs):
        begun = perf_counter()
        specs = unroll_graph(graph).to_dropspecs()
        times.append(perf_counter() - begun)
        drops = len(specs)
        del specs
    return {"drops": drops, "unroll_s": min(times), "peak_mib": peak_mib()}


def unrolling(shape: Callable[[int], Graph], drops: int, peer: str) -> Result:
    """Measure unrolling to specs in memory."""
    graph = shape(drops)
    small = shape(100)
    time_unroll(small, 1)  # imports are not what is measured
    result = time_unroll(graph, RUNS)
    wanted = drops <= HUNDRED_K or shape is logical.nested  # flat, a million would take an hour
    return result | (peer_unroll(peer, graph, runs=1) if peer and wanted else {})


def peer_unroll(peer: str, graph: Graph, runs: int, *, to_json: bool = False) -> Result:
    """Return what the other translator takes, each figure with `peer_` before its name."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "graph.graph"
        path.write_text(json.dumps(graph))
        output = str(path.with_suffix(".json")) if to_json else None
        answer = ask_peer(
            peer, {"do": "unroll", "graph": str(path), "runs": runs, "json": output}
        )  # fmt: skip
    return {f"peer_{key}": value for key, value in answer.items()}


def as_installed(directory: Path) -> dict[str, str]:
    """Return an environment in which modules are compiled once, as after an installation.

    `PYTHONUNBUFFERED` would make the existing commands several times slower.
    """
    unusual = {"PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE"}
    usual = {name: value for name, value in os.environ.items() if name not in unusual}
    return {**usual, "PYTHONPYCACHEPREFIX": str(directory / "compiled")}


def timed_command(command: list[str], directory: Path) -> tuple[float, float]:
    """Run a program; return its seconds and its peak of memory in MiB."""
    environment = as_installed(directory)
    subprocess.run(
        [DLG, "unroll", "--help"], env=environment, stdout=subprocess.DEVNULL, check=True
    )
    begun = perf_counter()
    process = subprocess.Popen(command, env=environment)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, command
    return perf_counter() - begun, usage.ru_maxrss / 1024


def streaming(_peer: str) -> Result:
    """Measure `dlg unroll` of a million drops to a file, as a whole process."""
    with tempfile.TemporaryDirectory() as directory:
        graph, output = Path(directory) / "flat.graph", Path(directory) / "flat.json"
        graph.write_text(json.dumps(logical.flat(MILLION)))
        command = [DLG, "unroll", "-L", str(graph), "-o", str(output)]
        seconds, peak = timed_command(command, Path(directory))
        return {"seconds": seconds, "peak_mib": peak, "json_mb": output.stat().st_size / 1e6}


def on_disk(graph: Graph, peer: str) -> Result:
    """Measure a template as JSON: unrolled, written, read and checked."""
    result = time_unroll(graph, RUNS)
    template = unroll(graph)
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "template.json"
        writes, reads, for_dividing = [], [], []
        for _ in range(3):
            begun = perf_counter()
            write_specs(template.specs, str(path))
            written = perf_counter()
            checked = read_physical_graph(path)
            read = perf_counter()
            assert len(checked) == len(template)
            del checked
            again = perf_counter()
            read_template(path)
            for_dividing.append(perf_counter() - again)
            writes.append(written - begun)
            reads.append(read - written)
        size = path.stat().st_size / 1e6
    result |= {"json_mb": size, "write_s": min(writes), "read_checked_s": min(reads)}
    result["read_to_divide_s"] = min(for_dividing)
    return result | (peer_unroll(peer, graph, 1, to_json=True) if peer else {})


def read_template(path: Path) -> WrittenTemplate:
    """Return a template as `dlg partition` reads it."""
    from dlg_translator.commands import read_template as read

    return read(str(path))


def looping(peer: str) -> Result:
    """Measure a loop of three rounds in a scatter of 400."""
    graph = logical.loop_in_scatter(400)
    time_unroll(logical.loop_in_scatter(3), 1)
    return time_unroll(graph, RUNS) | (peer_unroll(peer, graph, 1) if peer else {})


def dividing(drops: int, peer: str) -> Result:
    """Measure METIS in 16 parts against the bare library on the same arrays."""
    import pymetis

    from dlg_translator.partition.metis import Metis, undirected
    from dlg_translator.partition.weights import dag_of

    template = unroll_graph(logical.flat(drops))
    graph = undirected(dag_of(template), pymetis.zero_copy_dtype(), PARTS)
    options = pymetis.Options(ufactor=101 - Metis().max_load_imb, seed=0)

    def bare_s() -> float:
        begun = perf_counter()
        pymetis.part_graph(
            PARTS, pymetis.CSRAdjacency(graph.start, graph.other), vweights=graph.load,
            eweights=graph.volume, options=options, recursive=False,
        )  # fmt: skip
        return perf_counter() - begun

    def whole_s() -> float:
        begun = perf_counter()
        partition_graph(template, "metis", parts=PARTS)
        return perf_counter() - begun

    partition_graph(unroll_graph(logical.flat(100)), "metis", parts=2)
    turns = [(bare_s(), whole_s()) for _ in range(3)]
    bare, whole = (min(times) for times in zip(*turns, strict=True))
    result = {"drops": len(template), "partition_s": whole, "bare_s": bare}
    result |= {"ratio": whole / bare, "allowed_s": 1.3 * bare + 0.2}
    if peer and drops <= HUNDRED_K:
        result["peer_partition_s"] = _peer_partition_s(peer, logical.flat(drops))
    return result


def _peer_partition_s(peer: str, graph: Graph) -> float:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "template.json"
        write_specs(unroll_graph(graph, compat=True).specs, str(path))
        request = {
            "do": "partition", "templates": {"it": str(path)},
            "cases": [["it", "metis", PARTS, {}]],
        }  # fmt: skip
        return float(ask_peer(peer, request)["answers"][0]["seconds"])


def commanding(peer: str) -> Result:
    """Measure the commands unroll, partition and map of 10,000 drops, by files and by a pipe."""
    with tempfile.TemporaryDirectory() as directory:
        graph = Path(directory) / "flat.graph"
        graph.write_text(json.dumps(logical.flat(10_000)))
        result = _commands(DLG, graph, RUNS)
        if peer:
            theirs = _commands(str(Path(peer).with_name("dlg")), graph, 1)
            result |= {f"peer_{key}": value for key, value in theirs.items()}
    return result


def _commands(dlg: str, graph: Path, runs: int) -> Result:
    template, divided, mapped = (graph.with_suffix(f".{end}") for end in ("t", "p", "m"))
    by_files = (
        f"{dlg} unroll -L {graph} -o {template} && {dlg} partition -P {template} -N 4 -o {divided}"
        f" && {dlg} map -P {divided} -N {HOSTS} -o {mapped}"
    )
    by_pipe = (
        f"{dlg} unroll -L {graph} | {dlg} partition -N 4 | {dlg} map -N {HOSTS} -o {mapped}"
    )  # fmt: skip
    environment = as_installed(graph.parent)

    def seconds(line: str) -> float:
        begun = perf_counter()
        quiet = subprocess.DEVNULL
        subprocess.run(["/bin/sh", "-c", line], check=True, env=environment, stderr=quiet)
        return perf_counter() - begun

    seconds(by_files)  # imports are compiled
    return {
        "files_s": median_of(lambda: seconds(by_files), runs),
        "pipe_s": median_of(lambda: seconds(by_pipe), runs),
        "drops": len(read_template(mapped)) if dlg == DLG else len(json.loads(mapped.read_text())),
    }


SHAPES: Mapping[str, Callable[[int], Graph]] = {"flat": logical.flat, "nested": logical.nested}
ROWS: Mapping[str, Callable[[str], Result]] = {
    **{
        f"unroll {shape} {drops}": partial(unrolling, make, drops)
        for shape, make in SHAPES.items()
        for drops in SIZES
    },
    "write flat 1000000": streaming,
    "metis 100000": partial(dividing, HUNDRED_K),
    "metis 1000000": partial(dividing, MILLION),
    "json flat 100000": lambda peer: on_disk(logical.flat(HUNDRED_K), peer),
    "summit": lambda peer: on_disk(logical.summit(), peer),
    "loop": looping,
    "commands": commanding,
}
"""What can be measured, each in a process of its own; the argument is the peer's Python or ""."""

TARGETS: Mapping[str, str] = {
    "unroll flat 1000": "unroll_s <= 0.02",
    "unroll flat 10000": "unroll_s <= 0.08",
    "unroll flat 100000": "unroll_s <= 0.6",
    "unroll flat 1000000": "unroll_s <= 6, peak_mib <= 3072",
    "unroll nested 1000000": "unroll_s <= 6, peak_mib <= 3072",
    "write flat 1000000": "seconds <= 12, peak_mib <= 1024",
    "metis 100000": "partition_s <= 1.3 bare_s + 0.2",
    "metis 1000000": "partition_s <= 1.3 bare_s + 0.2",
    "json flat 100000": "json_mb <= 60, write_s <= 0.6, read_checked_s <= 1.2",
    "summit": "unroll_s <= 0.9, json_mb <= 90",
    "loop": "unroll_s <= 0.05",
    "commands": "files_s <= 1.5, pipe_s <= 1.2",
}


def in_own_process(row: str, peer: str) -> Result:
    """Return the result of a row, measured by this program in another process."""
    command = [sys.executable, __file__, "--here", row, "--peer", peer]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    result: Result = json.loads(done.stdout)
    return result


def growth(results: Mapping[str, Result]) -> None:
    """Print how many times longer ten times as many drops take."""
    for shape in SHAPES:
        for key in ("unroll_s", "peer_unroll_s"):
            times = [results.get(f"unroll {shape} {drops}", {}).get(key) for drops in SIZES]
            steps = [b / a if a and b else None for a, b in itertools.pairwise(times)]
            if any(steps):
                grown = [step and round(step, 1) for step in steps]
                emit(bench="translate", row=f"growth {shape}", of=key, tenfold=grown)


def main() -> None:
    """Measure the rows that the command line names, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", nargs="*", help="which rows; --list shows all")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    peer_option(parser)
    options = parser.parse_args()
    if options.list:
        print("\n".join(ROWS))
        return
    if options.here:
        print(json.dumps(ROWS[options.rows[0]](options.peer)))
        return
    results = {}
    for row in options.rows or ROWS:
        results[row] = in_own_process(row, options.peer)
        emit(bench="translate", row=row, **results[row], target=TARGETS.get(row, ""))
    growth(results)


if __name__ == "__main__":
    main()
