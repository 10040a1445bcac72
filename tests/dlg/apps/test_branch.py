"""Apps that let a graph go one way or the other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dlg.apps.branch import Branch, BranchAppDrop, SimpleBranch
from dlg.data.memory import InMemoryDROP
from dlg.ddap_protocol import DROPStates as S
from dlg.drops.app_base import BarrierAppDROP
from dlg.testing.app_contract import AppContract, filled, run
from dlg.testing.graphs import app, data
from dlg_engine.embedded import run_graph
from dlg_engine.sessions.report import RunReport

BRANCH = "dlg.apps.branch.Branch"


class TestSimpleBranch(AppContract):
    def make(self, **parameters: Any) -> BarrierAppDROP:
        return two_ways(SimpleBranch("branch", **parameters))


class TestBranch(AppContract):
    def make(self, **parameters: Any) -> BarrierAppDROP:
        return two_ways(Branch("branch", func_code="lambda x: x > 1", **parameters))


def two_ways(branch: BarrierAppDROP) -> BarrierAppDROP:
    branch.addInput(filled("in", 5))
    for uid in ("first", "second"):
        branch.addOutput(InMemoryDROP(uid))
    return branch


class Undecided(BranchAppDrop):
    __slots__ = ()


def ends(branch: BarrierAppDROP) -> list[S]:
    run(branch)
    return [output.status for output in branch.outputs]


@pytest.mark.parametrize("result", [True, "true", "1"])
def test_a_condition_that_holds_skips_the_second_output(result: Any) -> None:
    assert ends(two_ways(SimpleBranch("b", result=result))) == [S.COMPLETED, S.SKIPPED]


@pytest.mark.parametrize("result", [False, "False", "0"])
def test_one_that_does_not_hold_skips_the_first(result: Any) -> None:
    assert ends(two_ways(SimpleBranch("b", result=result))) == [S.SKIPPED, S.COMPLETED]


def test_a_branch_has_two_outputs() -> None:
    branch = SimpleBranch("b")
    run(branch)
    assert "a branch has 2 outputs, this one has 0" in str(branch.failure)


def test_a_branch_without_a_condition_says_so() -> None:
    branch = two_ways(Undecided("b"))
    run(branch)
    assert "Undecided has no condition" in str(branch.failure)


def branching(tmp_path: Path, code: str, value: Any = 5, **spec: Any) -> RunReport:
    ports = [{"yes": "true"}, {"no": "false"}]
    branch = app("b", [], BRANCH, func_code=code, inputs=[{"in": "x"}], **spec)
    specs = [data("in", pydata=value), {**branch, "outputs": ports}]
    for uid in ("yes", "no"):
        specs += [data(uid, [f"after-{uid}"]), app(f"after-{uid}", [f"end-{uid}"])]
        specs.append(data(f"end-{uid}"))
    return run_graph(specs, runner="inline", workdir=tmp_path, timeout=30)


@pytest.mark.parametrize(
    ("code", "taken", "skipped"),
    [
        ("def f(x): return x > 3", "yes", "no"),
        ("def f(x): return x > 9", "no", "yes"),
        ("def f(x): return 'False'", "no", "yes"),
        ("def f(x): return 1", "yes", "no"),
    ],
)
def test_a_result_goes_on_by_the_port_of_its_name(
    tmp_path: Path, code: str, taken: str, skipped: str
) -> None:
    report = branching(tmp_path, code)
    assert report.status == "FINISHED"
    on, off = report.drops[f"end-{taken}"], report.drops[f"end-{skipped}"]
    assert (on.status, off.status) == (S.COMPLETED, S.SKIPPED)
    assert report.drops[f"after-{skipped}"].status is S.SKIPPED


def test_what_came_in_is_handed_on(tmp_path: Path) -> None:
    ports = [{"yes": "true"}, {"no": "false"}]
    branch = app("b", [], BRANCH, func_code="def f(x): return True", inputs=[{"in": "x"}])
    specs = [data("in", pydata=[1, 2]), {**branch, "outputs": ports}]
    specs += [data("yes", persist=True), data("no")]
    report = run_graph(specs, runner="inline", workdir=tmp_path, timeout=30)
    assert report.result("yes") == [1, 2]


@pytest.mark.parametrize("runner", ["threads", "processes"])
def test_branches_are_the_same_in_every_runner(tmp_path: Path, runner: str) -> None:
    ports = [{"yes": "true"}, {"no": "false"}]
    branch = app("b", [], BRANCH, func_code="def f(x): return x < 0", inputs=[{"in": "x"}])
    specs = [data("in", pydata=5), {**branch, "outputs": ports}, data("yes"), data("no")]
    report = run_graph(specs, runner=runner, workers=1, workdir=tmp_path, timeout=60)
    assert (report.drops["yes"].status, report.drops["no"].status) == (S.SKIPPED, S.COMPLETED)


def test_a_function_that_raises_stops_both_ways(tmp_path: Path) -> None:
    report = branching(tmp_path, "def f(x): raise ValueError('undecided')")
    assert report.status == "FAILED"
    assert {report.drops[f"end-{way}"].stopped_by for way in ("yes", "no")} == {"b"}
