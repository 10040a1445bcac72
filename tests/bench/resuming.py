"""What it costs to write down what a run does, and to go on with it.

    python tests/bench/resuming.py [--drops N]

Each line is a result: graphs of apps that do nothing, and of functions whose small results are
kept, run as they are and with a journal; then a session of which everything is done, gone through
once more. Writing is to cost 10 µs a drop at most.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from time import perf_counter
from typing import Any

from common import SHAPES, chains, emit, median_of

from dlg.graph import read_physical_graph
from dlg.testing.graphs import Spec
from dlg_engine.embedded import resume_session, run_graph

FUNCTIONS = "functions"


def graphs(drops: int) -> dict[str, list[Spec]]:
    """Return what is measured: graphs that do nothing, and one of functions."""
    found = {name: make(drops) for name, make in SHAPES.items()}
    return found | {FUNCTIONS: chains(drops, 0.0)}


def run_s(graph: Any, root: Path, *, resumable: bool) -> tuple[float, Path]:
    """Return how long a run of a graph took, and where it was."""
    begun = perf_counter()
    report = run_graph(graph, workdir=root, resumable=resumable, workers=1)
    return perf_counter() - begun, report.session_dir


def measure(name: str, specs: list[Spec], root: Path) -> None:
    """Measure one graph and print."""
    graph = read_physical_graph(specs)
    graph.neighbours  # noqa: B018  needed in any case
    plain = median_of(lambda: run_s(graph, root, resumable=False)[0])
    written = median_of(lambda: run_s(graph, root, resumable=True)[0])
    _, directory = run_s(graph, root, resumable=True)
    size = (directory / ".run" / "journal").stat().st_size
    begun = perf_counter()
    report = resume_session(directory, workers=1)
    again = perf_counter() - begun
    if report.status != "FINISHED" or len(report.restored) * 3 < len(specs):
        raise SystemExit(f"{name}: {report.status}, {len(report.restored)} apps done before")
    emit(
        what="journal", shape=name, drops=len(specs), plain_s=plain, written_s=written,
        us_per_drop=(written - plain) / len(specs) * 1e6, bytes_per_drop=size / len(specs),
        resumed_us_per_drop=again / len(specs) * 1e6,
    )  # fmt: skip


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--drops", type=int, default=100_000)
    drops = parser.parse_args().drops
    with tempfile.TemporaryDirectory() as root:
        for name, specs in graphs(drops).items():
            measure(name, specs, Path(root))


if __name__ == "__main__":
    main()
