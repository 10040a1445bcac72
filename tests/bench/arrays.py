"""How long a 100 MB array takes from the return of one function to the entry of the next.

python tests/bench/arrays.py
"""

from __future__ import annotations

import statistics
import tempfile
from typing import Any

from common import emit

from dlg.testing.graphs import app, data
from dlg_engine.embedded import run_graph

FUNCTION = "dlg.apps.python_function.PyFuncApp"
MAKE = """
def make():
    import time
    import numpy
    array = numpy.ones(12_500_000)
    return {"array": array, "left": time.time()}
"""
TAKE = """
def take(value):
    import time
    return time.time() - value["left"]
"""


def hand_over_s(runner: str) -> float:
    """Return the seconds between the two functions."""
    specs: list[dict[str, Any]] = [
        app("make", ["array"], FUNCTION, func_code=MAKE),
        data("array", ["take"]),
        app("take", ["seconds"], FUNCTION, func_code=TAKE),
        data("seconds"),
    ]
    with tempfile.TemporaryDirectory() as workdir:
        report = run_graph(specs, runner=runner, workdir=workdir)
        return float(report.result("seconds"))


def main() -> None:
    """Measure all runners that hand arrays over."""
    for runner in ("threads", "processes"):
        times = [hand_over_s(runner) for _ in range(5)]
        emit(
            bench="arrays",
            runner=runner,
            megabytes=100,
            milliseconds=statistics.median(times) * 1e3,
        )


if __name__ == "__main__":
    main()
