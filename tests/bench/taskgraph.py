"""Task graphs here and in artron, in the same run: wide, a chain, and a failure with descendants.

    python tests/bench/taskgraph.py [--artron PYTHON]

artron is asked in an environment of its own (`make artron-peer`); without it there is only our
half. For both, `start()` is measured with four workers, tasks that do nothing, and one try each;
adding tasks is not in it. `warm` are runs of managers whose processes have had a second to start,
which they begin with the first task that is added; `cold` are runs that have to wait for them.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from time import perf_counter
from typing import Any

WORKERS = 4
RUNS = 5
LIMIT_S = 300
SMALL = 7
"""With more layers, artron would be at it for very long."""
ARTRON = Path("build/artron/bin/python")


class Builder:
    """The functions that tasks name."""

    def nothing(self, retry: int) -> None:
        """Do nothing."""

    def fail(self, retry: int) -> None:
        """Fail."""
        raise ValueError("this task fails")


def wide(task: Callable[..., Any], count: int) -> list[Any]:
    """Return tasks that require nothing."""
    return [task(f"t{n}", {}, "nothing") for n in range(count)]


def chain(task: Callable[..., Any], count: int) -> list[Any]:
    """Return tasks that require each other, one after the other."""
    return [task(f"t{n}", {}, "nothing", [f"t{n - 1}"] if n else []) for n in range(count)]


def layered(task: Callable[..., Any], layers: int, width: int = 3) -> list[Any]:
    """Return a root that fails, and layers of tasks that each require the whole layer above."""
    made, above = [task("root", {}, "fail")], ["root"]
    for layer in range(layers):
        names = [f"t{layer}-{n}" for n in range(width)]
        made += [task(name, {}, "nothing", list(above)) for name in names]
        above = names
    return made


SHAPES: dict[str, Callable[..., list[Any]]] = {"wide": wide, "chain": chain, "layered": layered}


def start_s(package: str, shape: str, size: int, pause_s: float, **options: Any) -> float:
    """Return how long `start()` takes."""
    kind = import_module(f"{package}.task").Task
    manager = import_module(f"{package}.manager").Manager(
        Builder(), nb_workers=WORKERS, max_retry=1, **options
    )
    tasks = SHAPES[shape](kind, size)
    for task in tasks:
        manager.add(task)
    time.sleep(pause_s)
    begun = perf_counter()
    found = manager.start()
    seconds = perf_counter() - begun
    results = found["results"]
    assert results["success"] + results["deps"] + results["failures"] == len(tasks), results
    return seconds


def marked(package: str, layers: int) -> tuple[int, float]:
    """Return how many copies a failure at the root makes, and how long that takes."""
    kind = import_module(f"{package}.task").Task
    tasks = {task.tid: task for task in layered(kind, layers)}
    tasks["root"].state = kind.STATE_ERROR
    begun = perf_counter()
    count = sum(1 for _ in tasks["root"].update_childs(tasks))
    return count, perf_counter() - begun


def ask_artron(python: str, *request: Any) -> Any:
    """Return what this program answers to one request in the Python of artron."""
    command = [python, __file__, "--answer", json.dumps(request)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=LIMIT_S)
    return json.loads(done.stdout) if done.returncode == 0 else None


def answer(request: list[Any]) -> None:
    """Print what artron does, as JSON."""
    kind, *args = request
    if kind == "marked":
        found: Any = marked("artron", *args)
    else:
        shape, size, sleep = args
        found = start_s("artron", shape, size, 0.0, sleep=sleep)
    print(json.dumps(found))


def compare(shape: str, size: int, python: str) -> None:
    """Print tasks in a second, ours for each runner."""
    from common import emit

    our_runs = {
        f"{runner}_{kind}": statistics.median(
            start_s("dlg.taskgraph", shape, size, pause_s, runner=runner, progress=False)
            for _ in range(RUNS)
        )
        for runner, kind, pause_s in (
            ("processes", "warm", 1.0), ("processes", "cold", 0.0),
            ("threads", "", 0.0), ("inline", "", 0.0),
        )
    }  # fmt: skip
    said: dict[str, float | None] = {
        f"{name.rstrip('_')}_per_s": size / seconds for name, seconds in our_runs.items()
    }
    for sleep in (1, 0.01) if python else ():
        seconds = ask_artron(python, "start", shape, size, sleep)
        said[f"artron_sleep_{sleep}_per_s"] = size / seconds if seconds else None
    emit(bench="taskgraph", shape=shape, tasks=size, workers=WORKERS, **said)


def main() -> None:
    """Measure the rows of the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    default = str(ARTRON) if ARTRON.exists() else ""
    parser.add_argument("--artron", default=default, help="the Python of artron's environment")
    parser.add_argument("--answer", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.answer:
        answer(json.loads(options.answer))
        return
    from common import emit

    compare("wide", 1000, options.artron)
    compare("chain", 100, options.artron)
    compare("wide", 10000, "")
    for layers in (4, 7, 3334):
        found = [marked("dlg.taskgraph", layers) for _ in range(3)]
        copies, seconds = min(found, key=lambda one: one[1])
        small = options.artron and layers <= SMALL
        theirs = ask_artron(options.artron, "marked", layers) if small else (None, None)
        emit(
            bench="taskgraph", shape="failure", descendants=3 * layers, copies=copies,
            seconds=seconds, artron_copies=theirs[0], artron_seconds=theirs[1],
        )  # fmt: skip
    layers = 3334
    seconds = start_s("dlg.taskgraph", "layered", layers, 0.0, runner="threads", progress=False)
    emit(bench="taskgraph", shape="failure in a run", descendants=3 * layers, seconds=seconds)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    main()
