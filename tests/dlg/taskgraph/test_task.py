"""A task: its states, being run, and what its end does to others."""

from __future__ import annotations

import json
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlg.taskgraph import Task, TaskDependenciesError
from dlg.testing.builders import Arithmetic, Trouble


def test_the_numbers_of_states_are_those_of_the_interface() -> None:
    names = ("WRONG", "DEPENDENCY", "ERROR", "INIT", "READY", "RUNNING", "SUCCESS")
    assert [getattr(Task, f"STATE_{name}") for name in names] == [-3, -2, -1, 0, 1, 2, 3]


def test_the_text_of_a_task_is_json() -> None:
    found = json.loads(repr(Task("a", {"x": 1}, "f", ["b"])))
    assert found["tid"] == "a"
    assert list(found) == [
        "tid", "inputs", "func", "require", "state", "results", "date_created", "date_start",
        "date_end", "time_duration_str", "time_duration",
    ]  # fmt: skip


def test_the_text_of_a_task_is_json_whatever_it_holds() -> None:
    assert json.loads(repr(Task("a", {"x": {1}}, "f")))["inputs"] == {"x": "{1}"}


def test_a_task_has_its_own_list_of_requirements() -> None:
    shared = ["b"]
    Task("a", {}, "f", shared).add_require("c")
    assert shared == ["b"]


def test_requirements_are_added_and_deleted() -> None:
    task = Task("a", {}, "f")
    task.add_require("b")
    assert (task.require, task.is_runnable()) == (["b"], False)
    task.del_require("b")
    assert (task.require, task.is_runnable()) == ([], True)
    with pytest.raises(ValueError, match="not in list"):
        task.del_require("b")


@pytest.mark.parametrize("state", range(-3, 4))
def test_all_but_fresh_and_waiting_tasks_count_as_finished(state: int) -> None:
    task = Task("a", {}, "f")
    task.state = state
    assert task.is_finished() == (state not in {0, 1})


def test_a_task_that_is_run_has_results_and_dates() -> None:
    task = Task("a", {"x": 1, "y": 2}, "add")
    task.run(Arithmetic(), retry=1)
    assert (task.state, task.results) == (Task.STATE_SUCCESS, 3)
    assert task.date_start is not None
    assert task.date_end is not None
    assert task.time_duration > 0
    assert task.time_duration_str == "00:00:00"


def test_the_number_of_the_try_is_given_to_the_function() -> None:
    task = Task("a", {"good": 2}, "fail_until")
    task.run(Trouble(), retry=1)
    assert (task.state, task.results) == (Task.STATE_ERROR, "failed at try 1")
    task.run(Trouble(), retry=2)
    assert (task.state, task.results) == (Task.STATE_SUCCESS, 2)
    assert [(one.retry, one.kind) for one in task.attempts] == [(1, "ValueError"), (2, "")]


def test_a_function_that_is_not_there_is_a_failure_of_the_task() -> None:
    task = Task("a", {}, "no_such_function")
    task.run(Arithmetic(), retry=1)
    assert task.state == Task.STATE_ERROR
    assert "no_such_function" in task.results


def test_a_task_with_requirements_is_not_run() -> None:
    task = Task("a", {}, "add", ["b", "c"])
    with pytest.raises(TaskDependenciesError, match="Task a can't run. Requires b, c"):
        task.run(Arithmetic(), retry=1)
    assert task.state == Task.STATE_INIT


def small() -> dict[str, Task]:
    """b and c require a, d requires b and c, e nothing."""
    needs: dict[str, list[str]] = {"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"], "e": []}
    return {tid: Task(tid, {}, "f", required) for tid, required in needs.items()}


def test_a_success_frees_those_that_require_it_in_copies() -> None:
    tasks = small()
    tasks["a"].state = Task.STATE_SUCCESS
    changed = [item for one in tasks["a"].update_childs(tasks) for item in one.items()]
    assert [(tid, task.require) for tid, task in changed] == [("b", []), ("c", [])]
    assert tasks["b"].require == ["a"]


def test_a_failure_marks_each_descendant_once() -> None:
    tasks = small()
    tasks["a"].state = Task.STATE_ERROR
    changed = [item for one in tasks["a"].update_childs(tasks) for item in one.items()]
    assert [(tid, task.state, task.require) for tid, task in changed] == [
        ("b", Task.STATE_DEPENDENCY, []), ("d", Task.STATE_DEPENDENCY, ["c"]),
        ("c", Task.STATE_DEPENDENCY, []),
    ]  # fmt: skip
    assert tasks["b"].state == Task.STATE_INIT


def test_a_requirement_that_is_there_twice_is_dropped_twice() -> None:
    tasks = {"a": Task("a", {}, "f"), "b": Task("b", {}, "f", ["a", "a"])}
    tasks["a"].state = Task.STATE_SUCCESS
    (changed,) = tasks["a"].update_childs(tasks)
    assert changed["b"].is_runnable()


def test_a_task_without_a_list_of_requirements_requires_nothing() -> None:
    tasks = small()
    tasks["e"].require = None  # type: ignore[assignment]  # as programs have it
    for state in (Task.STATE_SUCCESS, Task.STATE_ERROR):
        tasks["a"].state = state
        assert all("e" not in one for one in tasks["a"].update_childs(tasks))


def test_a_running_task_changes_nobody() -> None:
    tasks = small()
    tasks["a"].state = Task.STATE_RUNNING
    assert list(tasks["a"].update_childs(tasks)) == []


@given(st.lists(st.lists(st.integers(0, 30), max_size=4), min_size=1, max_size=30))
def test_the_descendants_of_a_failure_are_marked_once_each(needs: list[list[int]]) -> None:
    tasks = {
        str(n): Task(str(n), {}, "f", [str(one) for one in required if one < n])
        for n, required in enumerate(needs)
    }
    tasks["0"].state = Task.STATE_ERROR
    marked = [tid for one in tasks["0"].update_childs(tasks) for tid in one]
    reached = {"0"}
    for tid, task in tasks.items():
        if reached.intersection(task.require):
            reached.add(tid)
    assert sorted(marked) == sorted(reached - {"0"})


@pytest.mark.slow
def test_marking_descendants_takes_time_in_proportion_to_them() -> None:
    def seconds(layers: int) -> float:
        tasks = {"root": Task("root", {}, "f")}
        above = ["root"]
        for layer in range(layers):
            names = [f"{layer}-{n}" for n in range(3)]
            tasks |= {name: Task(name, {}, "f", above) for name in names}
            above = names
        tasks["root"].state = Task.STATE_ERROR
        begun = perf_counter()
        assert sum(1 for _ in tasks["root"].update_childs(tasks)) == 3 * layers
        return perf_counter() - begun

    seconds(10)
    assert min(seconds(3000) for _ in range(3)) < 60 * min(seconds(300) for _ in range(3))
