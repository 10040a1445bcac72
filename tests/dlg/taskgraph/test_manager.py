"""Managers of tasks, with each runner of the embedded engine."""

from __future__ import annotations

import json
from collections.abc import Iterable
from time import perf_counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlg.engines import NotOnThisEngineError
from dlg.exceptions import UsageError
from dlg.taskgraph import CircularTasksError, Manager, Task, UnknownRequirementError
from dlg.testing.builders import Arithmetic, Nothing, Trouble

RUNNERS = ("processes", "threads", "inline")


def manage(
    *tasks: Task, builder: Any = None, runner: str = "inline", **options: Any
) -> tuple[Manager, dict[str, Any]]:
    """Run tasks; return their manager and what it said."""
    options = {"nb_workers": 2, "progress": False, "backoff": 0.0, **options}
    manager = Manager(builder or Trouble(), runner=runner, **options)
    for task in tasks:
        manager.add(task)
    return manager, manager.start()


def states(found: dict[str, Any]) -> dict[str, int]:
    return {task["tid"]: task["state"] for task in found["tasks"]}


class Counting:
    """A bar that counts."""

    def __init__(self) -> None:
        self.told: list[int] = []
        self.closed = 0

    def update(self, n: int) -> None:
        self.told.append(n)

    def close(self) -> None:
        self.closed += 1


@pytest.mark.parametrize("runner", RUNNERS)
def test_tasks_run_after_what_they_require(runner: str) -> None:
    _, found = manage(
        Task("b", {"x": 3}, "multiply", use={"y": "a"}),
        Task("a", {"x": 1, "y": 1}, "add"),
        builder=Arithmetic(), runner=runner,
    )  # fmt: skip
    assert [(t["tid"], t["state"], t["results"]) for t in found["tasks"]] == [
        ("b", 3, 6), ("a", 3, 2),
    ]  # fmt: skip
    assert found["exit_code"] == 0


def test_the_result_has_the_form_of_the_interface() -> None:
    _, found = manage(Task("a", {"msg": "x"}, "fine"), Task("b", {}, "fine", ["a"]))
    assert sorted(found) == ["date_end", "date_start", "elapsed", "exit_code", "results", "tasks"]
    assert found["results"] == {
        "aborted": 0, "deps": 0, "failures": 0, "nrun": 0, "ready": 0, "success": 2,
    }  # fmt: skip
    assert sorted(found["tasks"][0]) == [
        "date_created", "date_end", "date_start", "func", "inputs", "require", "results", "state",
        "tid", "time_duration", "time_duration_str",
    ]  # fmt: skip
    assert found["tasks"][1]["require"] == []
    json.dumps(found)


@pytest.mark.parametrize("runner", RUNNERS)
def test_a_failure_stops_what_depends_on_it_and_nothing_else(runner: str) -> None:
    _, found = manage(
        Task("bad", {}, "fail"), Task("child", {}, "fine", ["good", "bad"]),
        Task("grandchild", {}, "fine", ["child"]), Task("good", {}, "fine"),
        runner=runner, max_retry=1,
    )  # fmt: skip
    assert states(found) == {"bad": -1, "child": -2, "grandchild": -2, "good": 3}
    assert found["results"]["deps"] == 2
    assert found["exit_code"] == 1
    assert found["tasks"][0]["results"] == "failed at try 1"


@pytest.mark.parametrize("runner", RUNNERS)
def test_a_task_is_tried_as_often_as_the_manager_says_and_each_try_is_kept(runner: str) -> None:
    manager, found = manage(
        Task("late", {"good": 3}, "fail_until"), Task("bad", {}, "fail"),
        runner=runner, max_retry=3,
    )  # fmt: skip
    assert states(found) == {"late": 3, "bad": -1}
    assert [(a.retry, a.kind, a.error) for a in manager.attempts["late"]] == [
        (1, "ValueError", "failed at try 1"), (2, "ValueError", "failed at try 2"), (3, "", ""),
    ]  # fmt: skip
    assert "ValueError" in manager.attempts["bad"][-1].traceback
    assert len(manager.attempts["bad"]) == 3


def test_there_is_a_pause_before_each_further_try_which_doubles() -> None:
    manager, _ = manage(Task("bad", {}, "fail"), max_retry=3, backoff=0.05)
    first, second, third = (a.date_start for a in manager.attempts["bad"])
    assert second - first >= 0.05
    assert third - second >= 0.1


@pytest.mark.parametrize("runner", RUNNERS)
def test_a_function_that_ends_its_program_fails_its_task_only(runner: str) -> None:
    _, found = manage(Task("bad", {}, "end"), Task("good", {}, "fine"), runner=runner, max_retry=1)
    assert states(found) == {"bad": -1, "good": 3}


def test_a_process_that_is_killed_fails_its_task_only() -> None:
    manager, found = manage(
        *(Task(f"good{n}", {}, "fine") for n in range(10)), Task("bad", {}, "die"),
        runner="processes", max_retry=2,
    )  # fmt: skip
    assert (found["results"]["success"], found["results"]["failures"]) == (10, 1)
    assert [a.kind for a in manager.attempts["bad"]] == ["WorkerDiedError", "WorkerDiedError"]
    assert "SIGKILL" in found["tasks"][-1]["results"]


def test_a_result_that_cannot_travel_fails_its_task_only() -> None:
    _, found = manage(
        Task("bad", {}, "unpicklable"), Task("good", {}, "fine"), runner="processes", max_retry=1
    )
    assert states(found) == {"bad": -1, "good": 3}
    assert "cannot be sent to another process" in found["tasks"][0]["results"]


def test_inputs_that_cannot_travel_fail_their_task_only() -> None:
    _, found = manage(
        Task("bad", {"x": (n for n in range(3))}, "fine"), Task("good", {}, "fine"),
        runner="processes", max_retry=1,
    )  # fmt: skip
    assert states(found) == {"bad": -1, "good": 3}


def test_arrays_go_to_processes_and_come_back() -> None:
    array = np.arange(1_000_000, dtype=float)
    _, found = manage(
        Task("a", {"x": array, "y": 1.0}, "add"),
        Task("b", {"y": 2.0}, "multiply", use={"x": "a"}),
        builder=Arithmetic(), runner="processes",
    )  # fmt: skip
    assert np.array_equal(found["tasks"][1]["results"], (array + 1) * 2)


@pytest.mark.parametrize("runner", ["processes", "threads"])
def test_a_try_that_takes_too_long_is_given_up(runner: str) -> None:
    begun = perf_counter()
    _, found = manage(
        Task("slow", {"seconds": 60.0}, "sleep", timeout=0.2), Task("good", {}, "fine"),
        runner=runner, max_retry=1,
    )  # fmt: skip
    assert perf_counter() - begun < 50
    assert states(found) == {"slow": -1, "good": 3}
    assert "longer than 0.2 s" in found["tasks"][0]["results"]


@pytest.mark.parametrize("runner", ["processes", "threads"])
def test_the_time_of_the_run_holds_for_leaves_that_run(runner: str) -> None:
    begun = perf_counter()
    _, found = manage(
        Task("slow", {"seconds": 60.0}, "sleep"), Task("child", {}, "fine", ["slow"]),
        runner=runner, run_timeout=1.0,
    )  # fmt: skip
    assert perf_counter() - begun < 50
    assert states(found) == {"slow": 2, "child": 0}
    assert (found["results"]["aborted"], found["results"]["nrun"]) == (1, 1)
    assert found["exit_code"] == 1


def test_what_was_not_begun_in_time_stays_fresh() -> None:
    _, found = manage(Task("a", {}, "fine"), Task("b", {}, "fine", ["a"]), run_timeout=0.0)
    assert states(found) == {"a": 0, "b": 0}


def test_a_second_start_runs_what_is_fresh() -> None:
    manager, _ = manage(Task("a", {"x": 1, "y": 1}, "add"), builder=Arithmetic())
    manager.add(Task("b", {"x": 1}, "add", use={"y": "a"}))
    found = manager.start()
    assert [task["results"] for task in found["tasks"]] == [2, 3]


def test_what_is_left_of_a_run_that_was_given_up_is_run_by_the_next() -> None:
    manager, found = manage(
        Task("slow", {"seconds": 0.5}, "sleep"), Task("child", {}, "fine", ["slow"]),
        runner="threads", run_timeout=0.1,
    )  # fmt: skip
    again = Manager(
        Trouble(), runner="threads", progress=False, tasks=manager.tasks, run_timeout=60
    )
    assert states(found) == {"slow": 2, "child": 0}
    assert states(again.start()) == {"slow": 3, "child": 3}


def test_what_requires_an_earlier_failure_is_not_run() -> None:
    manager, _ = manage(Task("a", {}, "fail"), max_retry=1)
    manager.add(Task("b", {}, "fine", ["a"]))
    assert states(manager.start()) == {"a": -1, "b": -2}


def test_an_unknown_requirement_is_told_before_anything_runs() -> None:
    with pytest.raises(UnknownRequirementError, match="'b' requires 'aa'.*did you mean 'a'"):
        manage(Task("a", {}, "fine"), Task("b", {}, "fine", ["aa"]))


def test_a_circle_is_told_before_anything_runs() -> None:
    with pytest.raises(CircularTasksError, match="in a circle"):
        manage(*(Task(f"t{n}", {}, "fine", [f"t{(n + 1) % 3}"]) for n in range(3)))


def test_a_task_that_requires_itself_cannot_be_added() -> None:
    with pytest.raises(CircularTasksError, match="'a' requires itself"):
        Manager(Nothing(), runner="inline").add(Task("a", {}, "nothing", ["a"]))


def test_a_task_of_the_same_id_takes_the_place_of_the_first() -> None:
    _, found = manage(Task("a", {"x": 1}, "fine"), Task("a", {"x": 2}, "fine"))
    assert [task["results"] for task in found["tasks"]] == [{"x": 2}]


def test_the_tasks_of_the_caller_are_left_alone() -> None:
    task = Task("a", {}, "fine")
    manage(task)
    assert task.state == Task.STATE_INIT


def test_nothing_to_do_is_a_success() -> None:
    _, found = manage()
    assert (found["exit_code"], found["tasks"]) == (0, [])


def test_tasks_may_be_kept_where_the_caller_says() -> None:
    mine: dict[str, Task] = {}
    manage(Task("a", {}, "fine"), tasks=mine)
    assert mine["a"].state == Task.STATE_SUCCESS


def test_a_bar_is_told_of_all_tasks_and_closed() -> None:
    bar = Counting()
    manage(
        Task("a", {}, "fine"), Task("bad", {}, "fail"), Task("c", {}, "fine", ["bad"]),
        progress=bar, max_retry=1,
    )  # fmt: skip
    assert (sum(bar.told), bar.closed) == (3, 1)


def test_a_bar_that_fails_fails_no_task_but_is_told() -> None:
    class Broken(Counting):
        def update(self, n: int) -> None:
            raise OSError("the terminal is gone")

    manager = Manager(Trouble(), runner="inline", progress=Broken())
    manager.add(Task("a", {}, "fine"))
    with pytest.raises(OSError, match="the terminal is gone"):
        manager.start()
    assert manager.tasks["a"].state == Task.STATE_SUCCESS


@pytest.mark.parametrize(
    "options",
    [{"max_retry": 0}, {"nb_workers": -1}, {"run_timeout": -1}, {"backoff": float("nan")}],
)
def test_numbers_that_make_no_sense_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        Manager(Trouble(), **options)


def test_a_builder_that_cannot_travel_is_told_with_the_cure() -> None:
    class Locked(Trouble):
        def __init__(self) -> None:
            self.generator = (n for n in range(3))

    with pytest.raises(UsageError, match="runner='threads'"):
        manage(Task("a", {}, "fine"), builder=Locked(), runner="processes")


def test_a_builder_may_be_defined_anywhere() -> None:
    class Local:
        def twice(self, retry: int, x: int) -> int:
            return 2 * x

    _, found = manage(Task("a", {"x": 4}, "twice"), builder=Local(), runner="processes")
    assert found["tasks"][0]["results"] == 8


def test_a_manager_has_the_attributes_of_the_interface() -> None:
    manager = Manager(Trouble(), nb_workers=3)
    assert [worker.name for worker in manager.workers] == ["worker-0", "worker-1", "worker-2"]
    assert (manager.max_retry, manager.sleep, manager.progress, manager.queue) == (
        3,
        1,
        None,
        None,
    )
    assert manager.workers[0].max_retry == 3
    assert manager.timeout is not None
    with manager.lock:
        assert not manager.tasks


def test_given_workers_say_how_many_tasks_run_at_once() -> None:
    first = Manager(Trouble(), nb_workers=3)
    assert Manager(Trouble(), workers=first.workers).nb_workers == 3


def failing(needs: Iterable[Iterable[int]], bad: set[int]) -> dict[str, int]:
    """Return in which states tasks end of which some fail."""
    ends: dict[str, int] = {}
    for n, required in enumerate(needs):
        broken = any(ends[str(one)] < 0 for one in required if one < n)
        ends[str(n)] = -2 if broken else -1 if n in bad else 3
    return ends


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.lists(st.integers(0, 15), max_size=4), max_size=15), st.sets(st.integers(0, 15)),
    st.sampled_from(["threads", "inline"]),
)  # fmt: skip
def test_all_tasks_end_as_their_requirements_say(
    needs: list[list[int]], bad: set[int], runner: str
) -> None:
    tasks = [
        Task(str(n), {}, "fail" if n in bad else "fine", [str(one) for one in required if one < n])
        for n, required in enumerate(needs)
    ]
    _, found = manage(*tasks, runner=runner, max_retry=1)
    assert states(found) == failing(needs, bad)


def test_an_engine_that_runs_tasks_elsewhere_is_refused_with_what_to_do() -> None:
    with pytest.raises(NotOnThisEngineError, match=r"engine dask.*host:port"):
        Manager(Arithmetic(), engine="dask")
