"""Time of whole processes: `dlg run` of a graph of five drops, and `dlg --help`.

python tests/bench/startup.py
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

from common import emit

from dlg.testing.graphs import chain

RUNS = 7


def seconds(command: list[str]) -> float:
    """Return how long a command takes, at the median of several runs."""
    times = []
    for _ in range(RUNS):
        begun = perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        times.append(perf_counter() - begun)
    return statistics.median(times)


def main() -> None:
    """Measure, beside an interpreter that does nothing."""
    dlg = str(Path(sys.executable).with_name("dlg"))
    with tempfile.TemporaryDirectory() as directory:
        graph = Path(directory) / "five.graph"
        graph.write_text(json.dumps(chain(2)))
        run = seconds([dlg, "run", str(graph), "--workdir", directory])
    emit(
        bench="startup", run_five_drops_s=run, help_s=seconds([dlg, "--help"]),
        bare_python_s=seconds([sys.executable, "-c", "pass"]),
    )  # fmt: skip


if __name__ == "__main__":
    main()
