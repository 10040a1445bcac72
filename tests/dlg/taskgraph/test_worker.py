"""A worker for programs that manage tasks by themselves."""

from __future__ import annotations

import multiprocessing
import threading
from queue import Queue
from typing import Any

import pytest

from dlg.taskgraph import Task, Worker
from dlg.testing.builders import Arithmetic, Trouble


def work(builder: Any, tasks: dict[str, Task], *tids: str, max_retry: int = 1) -> None:
    """Let a worker run some tasks in this process."""
    queue: Queue[tuple[str | None]] = Queue()
    for tid in (*tids, None):
        queue.put((tid,))
    Worker(builder, queue, "worker-0", tasks, max_retry, threading.RLock()).run()
    queue.join()


def test_a_worker_runs_what_is_in_its_queue_and_frees_what_follows() -> None:
    tasks = {
        "a": Task("a", {"x": 1, "y": 2}, "add"),
        "b": Task("b", {"x": 1, "y": 5}, "add", ["a"]),
    }
    work(Arithmetic(), tasks, "a", "b")
    assert [(task.state, task.results) for task in tasks.values()] == [(3, 3), (3, 6)]


def test_a_worker_tries_again() -> None:
    tasks = {"a": Task("a", {"good": 3}, "fail_until")}
    work(Trouble(), tasks, "a", max_retry=3)
    assert (tasks["a"].state, tasks["a"].results) == (Task.STATE_SUCCESS, 3)


def test_a_failure_marks_what_depends_on_it() -> None:
    tasks = {"a": Task("a", {}, "fail"), "b": Task("b", {}, "fine", ["a"])}
    work(Trouble(), tasks, "a", max_retry=2)
    assert [task.state for task in tasks.values()] == [Task.STATE_ERROR, Task.STATE_DEPENDENCY]


def test_a_task_that_is_queued_too_soon_is_wrong() -> None:
    tasks = {"a": Task("a", {}, "fine", ["b"])}
    work(Trouble(), tasks, "a")
    assert tasks["a"].state == Task.STATE_WRONG


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_worker_is_a_process_that_can_be_stopped() -> None:
    queue: Any = multiprocessing.JoinableQueue()
    worker = Worker(Arithmetic(), queue, "worker-0", {}, 1, multiprocessing.RLock())
    worker.stop()
    worker.start()
    assert worker.name == "worker-0"
    worker.stop()
    worker.join(30)
    assert not worker.is_alive()
