"""Calls that apps have made in worker processes (`dlg.drops.away`)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from dlg.drops.away import KEPT
from dlg.taskgraph import Task
from dlg.taskgraph.attempts import Policy
from dlg.taskgraph.book import Book
from dlg.taskgraph.embedded import Run, run_here
from dlg.taskgraph.progress import Teller
from dlg.testing.builders import Arithmetic, Trouble
from dlg_engine.runners.processes import ProcessRunner


@pytest.fixture
def runner() -> Iterator[ProcessRunner]:
    made = ProcessRunner(1)
    yield made
    made.close()


def result(runner: ProcessRunner, task: Task, builder: Any, key: str, **options: Any) -> Any:
    """Return what comes of a task whose builder is known as `key`."""
    policy = Policy(max_retry=2, backoff=0.0, **options)
    run = Run(Book({task.tid: task}, [task.tid], Teller(None)), builder, policy, None)
    run.key = key
    run_here(run, "embedded", "processes", runner, 1)
    return task.results


def test_luggage_that_a_process_has_forgotten_is_sent_again(runner: ProcessRunner) -> None:
    for _ in range(2):
        for number in range(KEPT + 3):
            task = Task("a", {"x": number, "y": 1}, "add")
            assert result(runner, task, Arithmetic(), str(number)) == number + 1


def test_a_process_goes_on_after_calls_that_failed(runner: ProcessRunner) -> None:
    first = result(runner, Task("a", {}, "where"), Trouble(), "k")
    result(runner, Task("b", {}, "unpicklable"), Trouble(), "k")
    result(runner, Task("c", {"x": (n for n in range(3))}, "fine"), Trouble(), "k")
    assert result(runner, Task("d", {}, "where"), Trouble(), "k") == first


def test_a_process_that_was_killed_is_replaced_and_gets_the_luggage(
    runner: ProcessRunner,
) -> None:
    first = result(runner, Task("a", {}, "where"), Trouble(), "k")
    for func, inputs in (("die", {}), ("sleep", {"seconds": 600.0})):
        bad = Task("b", inputs, func, timeout=1.0)
        assert result(runner, bad, Trouble(), "k")
        assert (bad.state, len(bad.attempts)) == (Task.STATE_ERROR, 2)
    assert result(runner, Task("c", {}, "where"), Trouble(), "k") not in {None, first}
