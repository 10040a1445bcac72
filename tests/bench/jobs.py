"""How fast jobs are planned, put into a database, and expressions evaluated.

    python tests/bench/jobs.py [DATABASE]

A grid job of three levels is read, planned and made a graph, and expanded into a database in one
transaction (a file of SQLite, or an empty database at the address given); `tasks` are those of the
job.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

from dlg.jobs.expressions import Surroundings, evaluate
from dlg.jobs.parsing import parse_job
from dlg.jobs.planning import plan_job
from dlg.support.garbage import held_off
from dlg_engine.tasks.job_submission import submit_job
from dlg_engine.tasks.task_database import TaskDatabaseConnection
from dlg_translator.formats.job import plan_specs, specs_of

RUNS = 3
ROUNDS = 20_000
TARGET_S = 20.0
FILE = "'lc_{a_index}_{b_index}_{c_index}.gz'.format(**metadata)"


def loop(parameter: str, count: int, body: list[Any]) -> dict[str, Any]:
    """Return a loop over `count` values."""
    return {
        "task": "execution_for_loop", "parameter": parameter, "task_list": body,
        "linear_range": [0, 1, count],
    }  # fmt: skip


def grid() -> dict[str, Any]:
    """Return a job of 100,000 tasks, in pairs of which one reads what the other makes."""
    made = {"task": "null", "name": "made", "outputs": {"lc": FILE}, "size": "(metadata['a'] * 2)"}
    used = {"task": "null", "inputs": {"lc": FILE}, "requires_metadata_from": ["made"]}
    inner = loop("c", 50, [made, used])
    return {"working_directory": "grid", "task_list": [loop("a", 10, [loop("b", 100, [inner])])]}


def seconds(work: Callable[[], object]) -> float:
    """Return the median of how long something takes."""
    taken = []
    for _ in range(RUNS):
        began = perf_counter()
        work()
        taken.append(perf_counter() - began)
    return statistics.median(taken)


def expanded(document: dict[str, Any], directory: Path) -> dict[str, Any]:
    """Return how long it takes until a job is in a database, judged as a whole before."""
    url = sys.argv[1] if len(sys.argv) > 1 else str(directory / "tasks.db")
    with TaskDatabaseConnection(directory / "store", url) as tasks:
        began, worked = perf_counter(), process_time()
        found = submit_job(tasks, document)
        taken, worked = perf_counter() - began, process_time() - worked
        return {
            "database": tasks.database.dialect, "database_tasks": found.tasks,
            "database_s": round(taken, 2), "database_cpu_s": round(worked, 2),
            "database_ratio_to_target": round(taken / TARGET_S, 2),
        }  # fmt: skip


def main() -> None:
    """Measure, and print JSON."""
    document = grid()
    with held_off():
        plan = plan_job(parse_job(document))
        planning = seconds(lambda: plan_job(parse_job(document)))
        specs = seconds(lambda: plan_specs(plan))
    with tempfile.TemporaryDirectory() as directory:
        into_database = expanded(document, Path(directory))
    around = Surroundings({"a_index": 1, "b_index": 2, "c_index": 3, "a": 0.5})

    def many(text: str) -> float:
        return seconds(lambda: [evaluate(text, around) for _ in range(ROUNDS)]) / ROUNDS

    found = {
        "tasks": len(plan.steps),
        "plan_s": round(planning, 2),
        "graph_s": round(specs, 2),
        "all_s": round(seconds(lambda: specs_of(document)), 2),
        "target_s": TARGET_S,
        **into_database,
        "expression_us": round(many("(metadata['a'] * 2)") * 1e6, 2),
        "file_name_us": round(many(FILE) * 1e6, 2),
    }
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
