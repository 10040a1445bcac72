"""Do the same with artron or with our task graphs, and print what came of it as JSON.

    python tasks.py artron|dlg.taskgraph

A program for the Python in which that package is installed. What artron does wrong (it hangs,
polls, loses what failed) is left out; `docs/howto/tasks.md` lists it.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import logging
import multiprocessing
import random
import sys
import time
from collections.abc import Callable
from importlib import import_module
from typing import Any


class Builder:
    """The functions that tasks name."""

    def fine(self, retry: int, **inputs: Any) -> dict[str, Any]:
        """Return what came in."""
        return {"retry": retry, **inputs}

    def bad(self, retry: int, **_inputs: Any) -> None:
        """Fail."""
        raise ValueError(f"failed at try {retry}")

    def late(self, retry: int, good: int) -> int:
        """Fail before try number `good`."""
        if retry < good:
            raise ValueError("too early")
        return retry

    def no_retry(self) -> None:
        """Lack the parameter that all functions must have."""


class Bar:
    """Counts."""

    n = 0

    def update(self, count: int) -> None:
        """Count."""
        self.n += count

    def close(self) -> None:
        """Nothing."""


def told(call: Callable[[], Any]) -> Any:
    """Return what a call returns, or the class and text of what it raises."""
    try:
        return call()
    except Exception as error:  # noqa: BLE001  it is what is asked for
        return [type(error).__name__, str(error)]


def without_times(task: dict[str, Any]) -> dict[str, Any]:
    """Return a task with its dates replaced by whether there are any."""
    found = dict(task)
    for name in ("date_created", "date_start", "date_end"):
        found[name] = found[name] is not None
    found["time_duration"] = found["time_duration"] > 0
    return found


def example(package: str) -> dict[str, Any]:
    """Return the four tasks of the interface document."""
    task = import_module(f"{package}.task").Task
    made = {f"tid{n}": task(f"tid{n}", {"msg": f"hello{n}"}, "fine") for n in range(1, 5)}
    for needed in ("tid2", "tid3", "tid4"):
        made["tid1"].add_require(needed)
    made["tid2"].add_require("tid4")
    return made


def graphs(package: str) -> dict[str, Any]:
    """Say what graphs do."""
    graph_of = import_module(f"{package}.graph").Graph
    tasks = example(package)
    tasks["done"] = import_module(f"{package}.task").Task("done", {}, "fine")
    tasks["done"].state = 3
    graph = graph_of(tasks)
    said: dict[str, Any] = {
        "graph": dict(graph), "size": graph.size, "is_dict": isinstance(graph, dict),
        "edges": list(graph.edges()), "isolated": list(graph.isolated_vertices()),
        "not_a_list": told(lambda: graph.__setitem__("x", "y")),
        "unknown": told(lambda: graph.remove_vertex("nobody")),
    }  # fmt: skip
    graph.remove_vertex("tid4")
    said["removed"] = [dict(graph), list(graph.isolated_vertices()), graph.size]
    tasks["tid3"].add_require("tid3")
    said["self"] = graph_of(tasks)["tid3"]
    return said


def tasks(package: str) -> dict[str, Any]:
    """Say what tasks do."""
    kind = import_module(f"{package}.task").Task
    names = ("WRONG", "DEPENDENCY", "ERROR", "INIT", "READY", "RUNNING", "SUCCESS")
    said: dict[str, Any] = {name: getattr(kind, f"STATE_{name}") for name in names}
    one = kind("a", {"x": 1}, "fine", require=["b"])
    said["text"] = list(json.loads(repr(one)))
    said["new"] = without_times(json.loads(repr(one)))
    said["runnable"] = one.is_runnable()
    said["run_too_soon"] = told(lambda: one.run(Builder(), retry=1))
    one.del_require("b")
    said["not_required"] = told(lambda: one.del_require("b"))[0]
    said["free"] = one.is_runnable()
    for func in ("fine", "bad", "no_retry", "nowhere"):
        other = kind("a", {"x": 1} if func != "no_retry" else {}, func)
        said[func] = [told(lambda: other.run(Builder(), retry=2)),  # noqa: B023
                      without_times(json.loads(repr(other)))]  # fmt: skip
    said["finished"] = []
    for state in range(-3, 4):
        one.state = state
        said["finished"].append(one.is_finished())
    return said


def children(package: str) -> dict[str, Any]:
    """Say what the end of a task changes in others: a tree, in which artron marks each once."""
    kind = import_module(f"{package}.task").Task
    said = {}
    for state in range(-3, 4):
        needs = {"a": [], "b": ["a"], "c": ["a", "x"], "d": ["b"], "e": ["d"], "x": [], "f": ["c"]}
        made = {tid: kind(tid, {}, "fine", list(required)) for tid, required in needs.items()}
        made["a"].state = state
        changed = list(made["a"].update_childs(made))
        said[str(state)] = [
            [tid, task.state, task.require] for one in changed for tid, task in one.items()
        ]
        said[f"{state} before"] = [[task.state, task.require] for task in made.values()]
    return said


def workers(package: str) -> dict[str, Any]:
    """Say what a worker, which is a process, does with its queue."""
    kind = import_module(f"{package}.task").Task
    worker = import_module(f"{package}.worker").Worker
    with multiprocessing.Manager() as shared:
        made = shared.dict({
            "a": kind("a", {"good": 2}, "late"), "b": kind("b", {}, "fine", ["a"]),
            "c": kind("c", {}, "bad"), "d": kind("d", {}, "fine", ["c"]),
            "e": kind("e", {}, "fine", ["x"]),
        })  # fmt: skip
        queue = shared.Queue()
        one = worker(Builder(), queue, "worker-7", made, 3, shared.RLock())
        one.stop()
        one.start()
        for tid in ("a", "b", "c", "e", None):
            queue.put((tid,))
        queue.join()
        one.join(30)
        two = worker(Builder(), queue, "worker-8", made, 3, shared.RLock())
        two.start()
        two.stop()
        two.join(30)
        return {
            "name": one.name, "alive": [one.is_alive(), two.is_alive()],
            "ends": [one.exitcode, two.exitcode],
            "tasks": {tid: [t.state, t.require] for tid, t in sorted(made.items())},
            "results": {tid: made[tid].results for tid in "abc"},
        }  # fmt: skip


def run(package: str, made: list[Any], **options: Any) -> dict[str, Any]:
    """Say what a manager makes of tasks."""
    bar = Bar()
    manager = import_module(f"{package}.manager").Manager(
        Builder(), nb_workers=2, sleep=0.01, progress=bar, **options
    )
    for task in made:
        manager.add(task)
    found: dict[str, Any] = manager.start()
    found["elapsed"] = len(found["elapsed"])
    for name in ("date_start", "date_end"):
        found[name] = len(found[name])
    found["tasks"] = [without_times(task) for task in found["tasks"]]
    found["bar"] = bar.n
    return found


def managers(package: str) -> dict[str, Any]:
    """Say what managers make of trees of tasks that succeed, fail, and succeed in the end."""
    kind = import_module(f"{package}.task").Task
    said: dict[str, Any] = {"empty": run(package, [])}
    said["example"] = run(package, list(example(package).values()))
    said["retries"] = run(
        package, [kind("a", {"good": 3}, "late"), kind("b", {}, "bad"), kind("c", {}, "no_retry")],
        max_retry=3,
    )  # fmt: skip
    said["once"] = run(package, [kind("a", {"good": 2}, "late")], max_retry=1)
    said["twice"] = run(package, [kind("a", {"x": 1}, "fine"), kind("a", {"x": 2}, "fine")])
    choose = random.Random(7)
    for number in range(6):
        made = []
        for n in range(12):
            func = choose.choice(["fine", "fine", "fine", "bad"])
            required = [f"t{choose.randrange(n)}"] if n and choose.random() < 0.8 else []
            made.append(kind(f"t{n}", {"n": n}, func, required))
        said[f"tree{number}"] = run(package, made, max_retry=2)
    return said


def utilities(package: str) -> dict[str, Any]:
    """Say how dates and times are told."""
    utils = import_module(f"{package}.utils")
    date = datetime.datetime(2018, 7, 31, 12, 15, 3, 749999)  # noqa: DTZ001
    return {
        "date": utils.strdate(date=date), "now": len(utils.strdate()),
        "not_a_date": told(lambda: utils.strdate("x"))[0],
        "time": utils.strgmtime(time.gmtime(10.5)), "seconds": utils.strgmtime(3.5),
        "day": utils.strgmtime(time.gmtime(90061)),
        "not_a_time": told(lambda: utils.strgmtime("x")),
    }  # fmt: skip


def main(package: str) -> None:
    """Say everything."""
    with contextlib.redirect_stdout(sys.stderr):
        import_module(f"{package}.manager")
        logging.disable()
        parts = (graphs, tasks, children, workers, managers, utilities)
        said = {part.__name__: part(package) for part in parts}
    sys.stdout.write(json.dumps(said) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
