"""Cost of a drop: build from dropspecs, check, run, with apps that do nothing and memory drops.

    python tests/bench/drops.py [SHAPE[:DROPS] ...] [--runner threads|inline]

Each result is a line of JSON: microseconds per drop, the floor of the language measured in the
same process, and memory per drop beyond the input list.
"""

from __future__ import annotations

import argparse
import gc
import tempfile
from time import perf_counter
from typing import Any

from common import SHAPES, emit, floor_s, memory_kib

from dlg_engine.embedded import run_graph

SIZES = (1_000, 10_000, 100_000, 1_000_000)


def measure(shape: str, drops: int, runner: str) -> dict[str, Any]:
    """Return the result for one shape and size."""
    specs = SHAPES[shape](drops)
    count = len(specs)
    floor = floor_s(specs)
    gc.collect()
    before = memory_kib()
    begun = perf_counter()
    with tempfile.TemporaryDirectory() as workdir:
        report = run_graph(specs, runner=runner, workdir=workdir)
    total = perf_counter() - begun
    memory = memory_kib() - before
    assert report.status == "FINISHED", report.status
    micro = 1e6 / count
    execute = report.timings["execute_s"]
    return {
        "bench": "drops", "shape": shape, "drops": count, "runner": runner,
        "us_per_drop": total * micro, "load_us": report.timings["load_s"] * micro,
        "create_us": report.timings["create_s"] * micro, "execute_us": execute * micro,
        "floor_us": floor * micro, "execute_to_floor": execute / floor,
        "kib_per_drop": memory / count,
    }  # fmt: skip


def main() -> None:
    """Measure what the command line asks for, or everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="*", help="SHAPE or SHAPE:DROPS")
    parser.add_argument("--runner", default="threads")
    options = parser.parse_args()
    cases = options.cases or [f"{shape}:{size}" for size in SIZES for shape in SHAPES]
    measure("chain", 100, options.runner)  # imports are not what is measured
    for case in cases:
        shape, _, size = case.partition(":")
        for drops in [int(size)] if size else SIZES:
            emit(**measure(shape, drops, options.runner))


if __name__ == "__main__":
    main()
