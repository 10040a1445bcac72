"""Small functions that graphs name."""

from __future__ import annotations

from pathlib import Path

import pytest

from dlg.apps import simple_functions as f
from dlg.testing.graphs import app, data
from dlg_engine.embedded import run_graph


def test_lines_of_a_file_come_without_their_ends(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("one\ntwo\n")
    assert f.readLines(str(tmp_path / "x")) == ["one", "two"]


def test_a_range_is_a_list() -> None:
    assert f.createRange() == list(range(10))
    assert f.createRange(2, 9, 3) == [2, 5, 8]


def test_the_largest_is_found() -> None:
    assert f.getMax([3, 9, 5]) == f.getMax(3, 9) == f.getMax(v1=9, v2=3) == 9


def test_values_pass_through_to_several_outputs() -> None:
    assert f.createMultiOut() == (1, 2, 3)
    assert f.createMultiOut(7, v2=8) == (7, 8)


def test_json_is_read() -> None:
    assert f.string2json('{"a": [1]}') == {"a": [1]}


@pytest.mark.parametrize("runner", ["inline", "processes"])
def test_several_results_go_to_several_outputs(tmp_path: Path, runner: str) -> None:
    function = "dlg.apps.python_function.PyFuncApp"
    name = "dlg.apps.simple_functions.createMultiOut"
    specs = [app("f", ["a", "b", "c"], function, func_name=name), *map(data, "abc")]
    report = run_graph(specs, runner=runner, workers=1, workdir=tmp_path, timeout=60)
    assert [report.result(uid) for uid in "abc"] == [1, 2, 3]
