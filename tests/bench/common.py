"""What the benchmark programs share: JSON lines, memory, graphs, the floor."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
from collections import deque
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

from dlg.testing.graphs import Spec, chain, data, fan, fan_gather, stencil

SHAPES: dict[str, Callable[[int], list[Spec]]] = {
    "chain": lambda drops: chain(drops // 2),
    "fan": lambda drops: fan(drops // 2),
    "fan-gather": lambda drops: fan_gather(drops // 2),
    "stencil": lambda drops: stencil(100, max(1, drops // 200)),
}

FUNCTION = "dlg.apps.python_function.PyFuncApp"
CODE = "import time\ndef f(x=0):\n    time.sleep({seconds})\n    return x + 1"


def chains(drops: int, seconds: float, length: int = 10) -> list[Spec]:
    """Return chains of functions and what they make, each of which is another value."""
    specs: list[Spec] = []
    for number in range(drops // 2):
        lane, step = divmod(number, length)
        spec: Spec = {
            "oid": f"a{number}", "categoryType": "Application", "dropclass": FUNCTION,
            "func_code": CODE.format(seconds=seconds), "outputs": [f"d{number}"],
        }  # fmt: skip
        if step:
            spec["inputs"] = [{f"d{number - 1}": "x"}]
        else:
            spec["applicationArgs"] = {"x": {"value": lane * 1000, "type": "Integer"}}
        specs += [spec, data(f"d{number}")]
    return specs


def emit(**result: Any) -> None:
    """Print one result as a line of JSON."""
    rounded = {k: round(v, 4) if isinstance(v, float) else v for k, v in result.items()}
    print(json.dumps(rounded), flush=True)


def median_of(measure: Callable[[], float], runs: int = 3) -> float:
    """Return the median of several measurements."""
    return statistics.median(measure() for _ in range(runs))


def memory_kib() -> int:
    """Return how much memory this process has in use now."""
    with Path("/proc/self/status").open() as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


def peak_mib() -> float:
    """Return the most memory this process has had in use."""
    with Path("/proc/self/status").open() as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024


def peer_option(parser: argparse.ArgumentParser) -> None:
    """Let the command line, or the environment, name the Python of the existing system."""
    told = "the Python of an environment with the existing system"
    parser.add_argument("--peer", default=os.environ.get("DLG_BENCH_PEER", ""), help=told)


def ask_peer(python: str, request: dict[str, Any]) -> dict[str, Any]:
    """Return what the existing translator, run by the Python it is installed for, answers."""
    program = Path(__file__).parent / "peer" / "translator.py"
    command = [python, str(program)]
    text = json.dumps(request)
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=True)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


class FloorDrop:
    """The least an object in a graph can be."""

    __slots__ = ("after", "run", "state", "waiting")

    def __init__(self, run: Callable[[], None] | None) -> None:
        self.after: list[FloorDrop] = []
        self.run, self.state, self.waiting = run, 0, 0


def nothing() -> None:
    """Do nothing, as the apps of the benchmarks do."""


def floor_s(specs: list[Spec]) -> float:
    """Return how long a minimal ready-count loop over slotted objects takes to run a graph."""
    drops = {s["oid"]: FloorDrop(nothing if s["categoryType"] != "Data" else None) for s in specs}
    for spec in specs:
        drop = drops[spec["oid"]]
        for oid in (*spec.get("consumers", ()), *spec.get("outputs", ())):
            drop.after.append(drops[oid])
            drops[oid].waiting += 1
    ready = deque(drop for drop in drops.values() if not drop.waiting)
    begun = perf_counter()
    while ready:
        drop = ready.popleft()
        if drop.run is not None:
            drop.run()
        drop.state = 2
        for target in drop.after:
            target.waiting -= 1
            if not target.waiting:
                ready.append(target)
    return perf_counter() - begun
