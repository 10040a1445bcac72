"""Which steps of a job are known to be done, as decisions fall."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from dlg.jobs.parsing import parse_job
from dlg.jobs.plan import Decision, PlannedTask, Region
from dlg.jobs.planning import plan_job
from dlg.jobs.unfolding import Fate, Unfolding

LATE = "(requested_metadata['a']['x'] > 0)"


def unfolding(*entries: Any) -> Unfolding:
    return Unfolding(plan_job(parse_job({"task_list": list(entries)})))


def keys(found: Unfolding, nodes: list[int]) -> list[str]:
    steps = found.plan.steps
    return [
        steps[node].key if node < len(steps) else f"all of {found.joins[node - len(steps)].key}"
        for node in nodes
    ]


def task(name: str, **more: Any) -> dict[str, Any]:
    return {"task": "null", "name": name, **more}


def branch(name: str, then: Any, otherwise: Any = (), **more: Any) -> dict[str, Any]:
    return {
        "task": "execution_conditional", "name": name, "criterion": LATE,
        "requires_metadata_from": ["a"], "task_list": list(then),
        "else_task_list": list(otherwise), **more,
    }  # fmt: skip


def repeat(name: str, *entries: Any, most: int = 3) -> dict[str, Any]:
    return {
        "task": "execution_do_while_loop", "name": name, "iteration_name": "i",
        "requires_metadata_from_child": ["a"], "repeat_criterion": LATE,
        "max_iterations": most, "task_list": list(entries),
    }  # fmt: skip


def test_without_decisions_all_is_known_at_once() -> None:
    found = unfolding(task("a"), task("b", wait_for=["a"]))
    assert keys(found, found.begin()) == ["a", "b"]
    assert found.undecided() == 0


def test_a_branch_brings_one_way_only() -> None:
    found = unfolding(task("a"), branch("if", [task("t")], [task("e")]))
    assert keys(found, found.begin()) == ["a", "if"]
    assert found.undecided() == 2
    assert keys(found, found.decide(1, taken=False)) == ["if/else/e"]
    assert found.fate(2) is Fate.SKIPPED


def test_a_loop_grows_by_one_iteration_a_decision() -> None:
    found = unfolding(repeat("r", task("a")))
    assert keys(found, found.begin()) == ["r[1]/a", "r[1]/again"]
    assert keys(found, found.decide(1, taken=True)) == ["r[2]/a", "r[2]/again"]
    assert found.decide(3, taken=False) == []
    assert found.undecided() == 0


def test_who_reads_a_file_of_a_branch_waits_for_the_decision() -> None:
    made = task("t", outputs={"x": "made"})
    found = unfolding(task("a"), branch("if", [made]), task("r", inputs={"x": "made"}))
    assert keys(found, found.begin()) == ["a", "if"]
    assert keys(found, found.decide(1, taken=True)) == ["if/then/t", "r"]


def test_who_reads_a_file_that_nobody_makes_is_skipped_with_all_behind_it() -> None:
    found = unfolding(
        task("a"), branch("if", [task("t", outputs={"x": "made"})]),
        task("r", inputs={"x": "made"}, outputs={"x": "next"}), task("s", inputs={"x": "next"}),
    )  # fmt: skip
    found.begin()
    assert found.decide(1, taken=False) == []
    assert found.undecided() == 0


def test_a_file_made_in_either_branch_is_read() -> None:
    ways = [[task(name, outputs={"x": "made"})] for name in ("t", "e")]
    for taken in (True, False):
        found = unfolding(task("a"), branch("if", *ways), task("r", inputs={"x": "made"}))
        found.begin()
        way = "if/then/t" if taken else "if/else/e"
        assert keys(found, found.decide(1, taken=taken)) == [way, "r"]
        assert found.maker_of(0) == (2 if taken else 3)


def test_who_waits_for_a_loop_is_known_when_the_loop_is() -> None:
    found = unfolding(repeat("r", task("a")), task("w", wait_for=["r"]))
    found.begin()
    assert keys(found, found.decide(1, taken=True)) == ["r[2]/a", "r[2]/again"]
    assert keys(found, found.decide(3, taken=False)) == ["w", "all of r"]
    assert len(found.steps_in(found.joins[0])) == 4


def test_who_gathers_takes_what_there_is() -> None:
    made = task("a", outputs={"x": "'x_{i_index}'.format(**metadata)"})
    gather = task("g", inputs={"x": {"gather": "r", "output": "x"}})
    found = unfolding(repeat("r", made), gather)
    found.begin()
    assert keys(found, found.decide(1, taken=False)) == ["g"]
    assert [found.maker_of(number) for number in range(3)] == [0, None, None]


def test_the_last_iteration_possible_is_waited_for_too() -> None:
    found = unfolding(repeat("r", task("a"), most=2), task("w", wait_for=["r"]))
    found.begin()
    # That it may say to go on, and so fail, is for whoever runs it.
    assert keys(found, found.decide(1, taken=True)) == [
        "r[2]/a", "r[2]/again", "w", "all of r",
    ]  # fmt: skip


def test_a_branch_in_a_branch_that_is_not_taken_is_skipped() -> None:
    found = unfolding(task("a"), branch("if", [branch("in", [task("t")], [task("e")])]))
    found.begin()
    assert found.decide(1, taken=False) == []
    assert found.undecided() == 0


ENTRIES = st.recursive(
    st.sampled_from(["plain", "reads", "waits"]),
    lambda inner: st.tuples(
        st.sampled_from(["branch", "repeat", "chain"]), st.lists(inner, min_size=1, max_size=3)
    ),
    max_leaves=8,
)


class Shaped:
    """Makes a job of some shape, in which tasks read and wait for what stands before them."""

    def __init__(self) -> None:
        self.number = 0
        self.files: dict[str, str] = {}

    def entry(self, shape: Any, before: list[str], loops: str) -> dict[str, Any]:
        self.number += 1
        name = f"n{self.number}"
        if isinstance(shape, str):
            return self.task(name, shape, before, loops)
        kind, inner = shape
        if kind == "repeat":
            loops += f"_{{{name}_index}}"
        body: list[dict[str, Any]] = []
        for one in inner:
            seen = [*before, *(each["name"] for each in body)]
            body.append(self.entry(one, seen, loops))
        if kind == "chain":
            return {"task": "execution_chain", "name": name, "task_list": body}
        if kind == "branch":
            return branch(name, body)
        return repeat(name, *body, task("a"), most=2) | {"iteration_name": name}

    def task(self, name: str, shape: str, before: list[str], loops: str) -> dict[str, Any]:
        self.files[name] = f"'{name}{loops}'.format(**metadata)"
        made = task(name, outputs={"x": self.files[name]})
        if shape == "waits" and before:
            made["wait_for"] = [before[-1]]
        if shape == "reads" and before and before[-1] in self.files:
            made["inputs"] = {"x": self.files[before[-1]]}
        return made


def job_of(shapes: Any) -> Unfolding:
    shaped = Shaped()
    listed: list[dict[str, Any]] = [task("a")]
    for shape in shapes:
        listed.append(shaped.entry(shape, [each["name"] for each in listed[1:]], ""))
    last = task("last", wait_for=[each["name"] for each in listed])
    return unfolding(*listed, last)


@given(st.lists(ENTRIES, min_size=1, max_size=3), st.data())
def test_in_whatever_order_decisions_fall_the_same_is_done_each_thing_once(
    shapes: Any, data: st.DataObject
) -> None:
    first, second = job_of(shapes), job_of(shapes)
    decisions = [n for n, step in enumerate(first.plan.steps) if isinstance(step, Decision)]
    outcomes = {n: data.draw(st.booleans()) for n in decisions}
    done: list[set[int]] = []
    for found, reverse in ((first, False), (second, True)):
        made = found.begin()
        open_ones = [n for n in made if n in outcomes]
        while open_ones:
            open_ones.sort(reverse=reverse)
            more = found.decide(open_ones[0], outcomes[open_ones.pop(0)])
            open_ones += [n for n in more if n in outcomes]
            made += more
        assert len(made) == len(set(made))
        assert found.undecided() == 0
        done.append(set(made))
    assert done[0] == done[1]
    check_needs(first, done[0])


def check_needs(found: Unfolding, done: set[int]) -> None:
    """What is done has all that it needs."""
    for number in done:
        if number >= len(found.plan.steps):
            continue
        step = found.plan.steps[number]
        for one in (*step.requires.values(), *step.waits):
            assert found.node_of(one) in done
            if isinstance(one, Region):
                assert all(found.fate(n) is not Fate.UNKNOWN for n in range(one.start, one.end))
        if isinstance(step, PlannedTask):
            assert all(found.maker_of(product) in done for product in step.inputs.values())
