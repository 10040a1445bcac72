"""What jobs come to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlg.jobs.errors import InvalidJobError
from dlg.jobs.parsing import parse_job
from dlg.jobs.plan import Decision, Plan, PlannedTask, Region
from dlg.jobs.planning import plan_job


def plan(*tasks: Mapping[str, Any], **job: Any) -> Plan:
    return plan_job(parse_job({"task_list": list(tasks), **job}))


def problems(*tasks: Mapping[str, Any], **job: Any) -> list[str]:
    with pytest.raises(InvalidJobError) as caught:
        plan(*tasks, **job)
    return [str(one) for one in caught.value.problems]


def task(**more: Any) -> dict[str, Any]:
    return {"task": "null", **more}


def loop(parameter: str, values: Any, *tasks: Any, **more: Any) -> dict[str, Any]:
    return {
        "task": "execution_for_loop", "parameter": parameter, "values": values,
        "task_list": list(tasks), **more,
    }  # fmt: skip


def repeat(criterion: Any, *tasks: Any, **more: Any) -> dict[str, Any]:
    return {
        "task": "execution_do_while_loop", "iteration_name": "i", "repeat_criterion": criterion,
        "task_list": list(tasks), **more,
    }  # fmt: skip


def branch(criterion: Any, then: Any, otherwise: Any = (), **more: Any) -> dict[str, Any]:
    return {
        "task": "execution_conditional", "criterion": criterion, "task_list": list(then),
        "else_task_list": list(otherwise), **more,
    }  # fmt: skip


def keys(found: Plan) -> list[str]:
    return [step.key for step in found.steps]


def test_keys_say_where_in_the_job_a_task_is() -> None:
    found = plan(task(name="a"), task(), loop("x", [5, 6], task(name="b"), name="xs"))
    assert keys(found) == ["a", "null-1", "xs[0]/b", "xs[1]/b"]


def test_a_name_that_looks_made_up_takes_no_other_key() -> None:
    assert len(set(keys(plan(task(), task(name="null-0"))))) == 2


def test_loops_give_their_value_and_its_number_to_what_is_inside() -> None:
    found = plan(loop("x", "(range(2))", loop("y", ["a"], task(v="(metadata['x'] * 10)"))))
    assert [step.metadata for step in found.steps] == [
        {"x": 0, "x_index": 0, "y": "a", "y_index": 0},
        {"x": 1, "x_index": 1, "y": "a", "y_index": 0},
    ]
    assert [one.settings for one in found.tasks] == [{"v": 0}, {"v": 10}]


@pytest.mark.parametrize(
    ("kind", "given", "values"),
    [
        ("linear_range", [0, 1, 3], [0, 0.5, 1]), ("linear_range", [5, 1, 1], [5]),
        ("linear_range", [0, 1, 0], []), ("log_range", [-1, 1, 3], [0.1, 1, 10]),
        ("linear_range", ["(1 - 1)", "(2)", 2], [0, 2]),
    ],
)  # fmt: skip
def test_ranges_have_both_their_ends(kind: str, given: Any, values: list[float]) -> None:
    one = loop("x", [], task())
    del one["values"]
    found = plan({**one, kind: given})
    assert [step.metadata["x"] for step in found.steps] == pytest.approx(values)


def test_products_are_found_whatever_the_order() -> None:
    found = plan(
        task(name="b", inputs={"x": "made"}), task(name="a", outputs={"y": "made"}),
        working_directory="d",
    )  # fmt: skip
    assert found.products[0].path == "d/made"
    assert found.needed(found.steps[0]) == [1]


def test_a_task_may_say_its_own_directory() -> None:
    found = plan(task(outputs={"x": "f"}, working_directory="'d{}'.format(1)"), job_name="j")
    assert found.products[0].path == "d1/f"
    assert found.tasks[0].job_name == "j"


def test_names_are_those_of_the_same_list_or_of_lists_around_it() -> None:
    found = plan(
        task(name="a"),
        loop(
            "x", [1, 2], task(name="b"), task(wait_for=["a", "b"], v="(metadata['x'])"),
        ),
    )  # fmt: skip
    assert found.steps[2].waits == [0, 1]
    assert found.steps[4].waits == [0, 3]


def test_what_is_inside_a_loop_has_no_name_outside() -> None:
    found = problems(loop("x", [1], task(name="inner")), task(wait_for=["inner"]))
    assert found == ["at /task_list/1: there is no entry 'inner'"]


def test_a_loop_can_be_waited_for_as_a_whole() -> None:
    found = plan(loop("x", [1, 2], task(), name="xs"), task(wait_for=["xs"]))
    assert found.steps[2].waits == [Region("xs", 0, 2)]


def test_what_waits_in_front_of_a_loop_is_each_task_in_it() -> None:
    found = plan(task(name="a"), loop("x", [1, 2], task(), wait_for=["a"]))
    assert [step.waits for step in found.steps] == [[], [0], [0]]


def test_a_chain_in_order_runs_one_after_the_other() -> None:
    found = plan(task(), loop("x", [1, 2], task()), task(), in_order=True)
    assert [step.waits for step in found.steps[:3]] == [[], [0], [0]]
    last = found.steps[3].waits[0]
    assert isinstance(last, Region)
    assert (last.start, last.end) == (1, 3)


def test_gathering_finds_all_products_of_a_loop() -> None:
    found = plan(
        loop("x", [1, 2, 3], task(outputs={"y": "'f{x}'.format(**metadata)"}), name="xs"),
        task(inputs={"all": {"gather": "xs", "output": "y"}}),
    )
    assert found.tasks[3].gathered == {"all": [0, 1, 2]}
    assert found.needed(found.steps[3]) == [0, 1, 2]


def test_a_criterion_that_is_known_leaves_one_branch() -> None:
    then, otherwise = [task(name="yes")], [task(name="no")]
    both = [branch("(metadata['x'] > 1)", then, otherwise, name="b")]
    assert keys(plan(loop("x", [1, 2], *both, name="l"))) == ["l[0]/b/no", "l[1]/b/yes"]


def test_a_criterion_that_needs_results_keeps_both_branches_behind_gates() -> None:
    found = plan(
        task(name="a"),
        branch(
            "(requested_metadata['a']['x'])", [task(outputs={"f": "same"})],
            [task(outputs={"f": "same"})], requires_metadata_from=["a"],
        ),
    )  # fmt: skip
    decision, then, otherwise = found.steps[1:]
    assert isinstance(decision, Decision)
    assert decision.requires == {"a": 0}
    assert (then.gate, otherwise.gate) == ((1, True), (1, False))
    assert found.products[0].makers == [2, 3]


def test_only_branches_of_one_decision_may_make_the_same_product() -> None:
    same = task(outputs={"f": "same"})
    late = branch("(requested_metadata['a']['x'])", [same], requires_metadata_from=["a"])
    found = problems(task(name="a"), late, late)
    assert len(found) == 1
    assert "'same' is made already, by the task at /task_list/1/task_list/0" in found[0]


def test_a_loop_with_a_known_criterion_has_as_many_iterations_as_it_has() -> None:
    found = plan(repeat("(metadata['i_index'] < 3)", task(name="a"), name="r"))
    assert keys(found) == ["r[1]/a", "r[2]/a", "r[3]/a"]


def test_a_loop_that_needs_results_is_unrolled_behind_gates() -> None:
    found = plan(
        repeat(
            "(requested_metadata['a']['x'] > 1)", task(name="a"), name="r", max_iterations=3,
            requires_metadata_from_child=["a"],
        )
    )  # fmt: skip
    assert keys(found) == [
        "r[1]/a", "r[1]/again", "r[2]/a", "r[2]/again", "r[3]/a", "r[3]/again",
    ]  # fmt: skip
    assert [step.gate for step in found.steps] == [
        None, None, (1, True), (1, True), (3, True), (3, True),
    ]  # fmt: skip
    assert [one.limit for one in found.steps if isinstance(one, Decision)] == [0, 0, 3]


def test_settings_that_need_results_are_kept_for_later() -> None:
    text = "(requested_metadata['a']['x'])"
    found = plan(
        task(name="a"), task(requires_metadata_from=["a"], v=[1, {"w": text}], u="(1 + 1)")
    )
    assert found.tasks[1].settings == {"v": [1, {"w": None}], "u": 2}
    assert found.tasks[1].late == ((("v", 1, "w"), text),)


def test_a_circle_is_told_with_its_tasks() -> None:
    (found,) = problems(
        task(name="a", inputs={"x": "2"}, outputs={"y": "1"}),
        task(name="b", inputs={"x": "1"}, outputs={"y": "2"}),
    )
    assert "circle" in found
    assert "'a'" in found
    assert "'b'" in found


def test_circles_through_whole_loops_are_found() -> None:
    (found,) = problems(
        loop("x", [1, 2], task(inputs={"x": "made"}), name="xs"),
        task(name="a", wait_for=["xs"], outputs={"y": "made"}),
    )
    assert "circle" in found


def test_all_problems_are_told_each_with_its_place() -> None:
    found = problems(
        task(value="(nothing)"), task(inputs={"x": "there"}), task(outputs={"y": "their"}),
        task(outputs={"y": "/abs"}),
    )  # fmt: skip
    assert [one.split(": ")[0] for one in found] == [
        "at /task_list/0/value", "at /task_list/3/outputs/y", "at /task_list/1/inputs/x",
    ]  # fmt: skip
    assert "did you mean 'their'?" in found[2]


def test_the_older_form_goes_through_all_combinations() -> None:
    found = plan(
        task(outputs={"x": "f_${index}_${size}"}, size="${size}"),
        task(inputs={"x": "f_${index}_${size}"}),
        iterations=[
            {"name": "size", "linear_range": [1, 2, 2]},
            {"name": "period", "values": ["a", "b"]},
        ],
        clean_up=True,
    )
    assert len(found.steps) == 8
    assert [one.path for one in found.products] == [
        "f_000000_1.0", "f_000001_1.0", "f_000002_2.0", "f_000003_2.0",
    ]  # fmt: skip
    assert found.tasks[2].settings == {"size": 1.0}
    assert found.tasks[2].metadata == {"size": 1.0, "period": "b", "index": 1}
    assert found.steps[3].waits == [2]


@given(st.lists(st.integers(0, 4), min_size=1, max_size=4))
def test_a_grid_has_as_many_tasks_as_combinations(sizes: list[int]) -> None:
    body: dict[str, Any] = task(v="(random.random())")
    count = 1
    for number, size in enumerate(sizes):
        body = loop(f"p{number}", list(range(size)), body)
        count *= size
    first, again = plan(body, seed=1), plan(body, seed=1)
    assert len(first.steps) == count == len(set(keys(first)))
    assert [one.settings for one in first.tasks] == [one.settings for one in again.tasks]
    assert len({one.settings["v"] for one in first.tasks}) == count


def test_every_step_comes_with_what_it_needs() -> None:
    found = plan(task(name="a", retries=2, qc_criterion="(metadata['x'] > 1)"))
    (one,) = found.steps
    assert isinstance(one, PlannedTask)
    assert (one.retries, one.qc_criterion) == (2, "(metadata['x'] > 1)")


@pytest.mark.parametrize(
    "body", [{"v": "(sum([k for k in range(30000)]))"}, {"v": [[1] * 1000] * 100}]
)
def test_a_job_that_takes_too_long_altogether_is_refused(body: dict[str, Any]) -> None:
    found = problems(loop("x", "(range(90000))", task(**body)))
    assert "too long" in found[0]


def test_a_job_of_too_many_tasks_is_refused_at_once() -> None:
    body: dict[str, Any] = task()
    for name in "abcdefgh":
        body = loop(name, list(range(1000)), body)
    assert problems(body) == ["at /: the job comes to more than 1000000 tasks"]
