"""Sessions of jobs grow while they run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dlg.exceptions import InvalidGraphException
from dlg.graph.physical import PhysicalGraph
from dlg.graph.reading import read_physical_graph
from dlg_engine.embedded import run_graph
from dlg_translator.formats.job import graph_of

LOOP: dict[str, Any] = {
    "task_list": [
        {
            "task": "execution_do_while_loop", "name": "loop", "iteration_name": "i",
            "requires_metadata_from_child": ["half"], "max_iterations": 50,
            "repeat_criterion": "(requested_metadata['half']['x'] > 0.2)",
            "task_list": [
                {
                    "task": "values", "name": "half", "x": "(1 / 2 ** metadata['i_index'])",
                    "outputs": {"x": "'x_{i_index}.txt'.format(**metadata)"},
                },
            ],
        },
        {
            "task": "values", "name": "all", "requires_metadata_from": ["loop"],
            "outputs": {"done": "done.txt"},
            "n": "(len(requested_metadata['loop']))", "qc_criterion": "(metadata['n'] == 3)",
        },
    ],
}  # fmt: skip


def graph(job: dict[str, Any]) -> PhysicalGraph:
    found = graph_of(job)
    return replace(read_physical_graph(found.specs), growing=found.growing)


def files(directory: Path) -> list[str]:
    return sorted(file.name for file in directory.rglob("*.txt"))


WANTED = ["done.txt", "x_1.txt", "x_2.txt", "x_3.txt"]


@pytest.mark.parametrize("runner", ["inline", "threads"])
def test_a_session_has_the_iterations_that_are_gone_through_and_no_others(
    runner: str, tmp_path: Path
) -> None:
    report = run_graph(graph(LOOP), runner=runner, workdir=tmp_path)
    assert report.status == "FINISHED"
    assert files(report.session_dir) == WANTED
    assert set(report.counts) == {"COMPLETED"}
    assert "loop[3]/again" in report.states
    assert "loop[4]/again" not in report.states


@pytest.mark.parametrize("how", [{"reproducibility": "all"}, {"resumable": True}])
def test_a_session_that_is_written_down_is_run_as_a_whole(
    how: dict[str, Any], tmp_path: Path
) -> None:
    report = run_graph(graph(LOOP), workdir=tmp_path, **how)
    assert report.status == "FINISHED", report.errors
    assert files(report.session_dir) == WANTED
    assert report.counts["SKIPPED"] > 100


def test_a_graph_can_grow_in_several_sessions(tmp_path: Path) -> None:
    found = graph(LOOP)
    for _ in range(2):
        report = run_graph(found, workdir=tmp_path)
        assert files(report.session_dir) == WANTED


def test_who_waits_for_a_loop_that_fails_ends_in_error(tmp_path: Path) -> None:
    loop = {**LOOP["task_list"][0], "max_iterations": 2}
    report = run_graph(graph({"task_list": [loop, LOOP["task_list"][1]]}), workdir=tmp_path)
    assert report.status == "FAILED"
    assert "after 2 iterations it would still go on" in report.errors[0].exception
    assert files(report.session_dir) == ["x_1.txt", "x_2.txt"]
    assert report.states["all"].name == "ERROR"


def test_many_branches_grow_at_once(tmp_path: Path) -> None:
    job = {
        "task_list": [
            {
                "task": "execution_for_loop", "parameter": "n", "values": list(range(40)),
                "name": "stars",
                "task_list": [
                    {"task": "values", "name": "a", "x": "(metadata['n'] % 2)"},
                    {
                        "task": "execution_conditional", "requires_metadata_from": ["a"],
                        "criterion": "(requested_metadata['a']['x'] == 1)",
                        "task_list": [
                            {"task": "null", "outputs": {"x": "'odd_{n}.txt'.format(**metadata)"}}
                        ],
                    },
                ],
            },
            {"task": "null", "wait_for": ["stars"], "outputs": {"x": "over.txt"}},
        ]
    }  # fmt: skip
    report = run_graph(graph(job), workdir=tmp_path, workers=4)
    assert report.status == "FINISHED"
    assert files(report.session_dir) == sorted(
        [*(f"odd_{n}.txt" for n in range(1, 40, 2)), "over.txt"]
    )


class Wrong:
    """A graph that would grow by what is no drop."""

    def __init__(self) -> None:
        self.inner = graph_of(LOOP).growing

    def begin(self) -> Sequence[dict[str, Any]]:
        assert self.inner is not None
        return self.inner().begin()

    def decide(self, decision: str, taken: bool) -> Sequence[dict[str, Any]]:
        return [{"oid": f"{decision} {taken}", "categoryType": "Application"}]


def test_what_cannot_join_a_graph_fails_who_has_decided(tmp_path: Path) -> None:
    found = replace(read_physical_graph(graph_of(LOOP).specs), growing=Wrong)
    report = run_graph(found, workdir=tmp_path)
    assert report.status == "FAILED"
    (error,) = report.errors
    assert error.uid == "loop[1]/again"
    assert isinstance(error.error, InvalidGraphException)
