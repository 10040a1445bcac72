"""`dlg run --repro` and `dlg repro`: from two runs to what differed first."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

FUNCTION = "dlg.apps.python_function.PyFuncApp"
MEMORY = "dlg.data.memory.InMemoryDROP"


def specs(step: int) -> list[dict[str, Any]]:
    """Return three functions in a row, of which the second has an argument."""
    code = "def f(x=0, step=1):\n    return x + step"
    found: list[dict[str, Any]] = []
    for i in range(3):
        argument = {"step": {"value": step if i == 1 else 1, "type": "Integer"}}
        inputs = {"inputs": [{f"d{i - 1}": "x"}]} if i else {}
        found.append(
            {"oid": f"f{i}", "categoryType": "Application", "dropclass": FUNCTION,
             "func_code": code, "applicationArgs": argument, "outputs": [f"d{i}"], **inputs}
        )  # fmt: skip
        found.append({"oid": f"d{i}", "categoryType": "Data", "dropclass": MEMORY})
    return found


@pytest.fixture
def run(dlg: Any, tmp_path: Path) -> Any:
    """Return what runs a graph and gives the directory of its session."""

    def call(name: str, step: int = 1, level: str = "all") -> str:
        (tmp_path / f"{name}.json").write_text(json.dumps(specs(step)))
        result: Result = dlg("run", f"{name}.json", "--repro", level, "-q")
        assert result.exit_code == 0, result.output
        (found,) = (tmp_path / "dlg-runs").glob(f"{name}-*")
        return str(found)

    return call


def test_two_runs_of_one_graph_are_the_same(dlg: Any, run: Any) -> None:
    result = dlg("repro", "compare", run("one"), run("two"))
    assert result.exit_code == 0
    assert result.output.count("same") == 7


def test_the_drop_and_the_argument_that_differ_are_named(dlg: Any, run: Any) -> None:
    result = dlg("repro", "compare", run("one"), run("two", step=5))
    assert result.exit_code == 1
    (line,) = (line for line in result.output.splitlines() if line.startswith("f1"))
    assert "parameters step" in line
    assert "REPEAT, RECOMPUTE" in line
    assert "1 more drops came out otherwise" in result.output


def test_a_comparison_is_given_as_json(dlg: Any, run: Any) -> None:
    result = dlg("repro", "compare", run("one"), run("two", step=5), "--json")
    found = json.loads(result.output)
    assert found["levels"]["RERUN"]
    assert not found["same"]
    assert [(c["drop"], c["field"], c["right"][0]) for c in found["causes"]] == [("f1", "step", 5)]


def test_one_level_decides_if_it_is_asked_for(dlg: Any, run: Any) -> None:
    runs = run("one"), run("two", step=5)
    assert dlg("repro", "compare", *runs, "--level", "rerun").exit_code == 0
    assert dlg("repro", "compare", *runs, "--level", "5").exit_code == 1


def test_what_counts_of_a_run_and_of_a_drop_is_shown(dlg: Any, run: Any) -> None:
    one = run("one")
    assert "RECOMPUTE" in dlg("repro", "show", one).output
    shown = dlg("repro", "show", one, "-d", "f1").output
    assert "func_code" in shown
    record = json.loads(dlg("repro", "show", one, "-d", "f1", "--json").output)
    assert record["parameters"]["step"][0] == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("compare", "one.json", "one.json"), "no run"),
        (("compare", ".", "."), "was it run with --repro?"),
        (("show", "one", "-d", "nobody"), "no drop 'nobody'"),
        (("compare", "one", "one", "--level", "twice"), "no level of reproducibility"),
    ],
)
def test_mistakes_are_told_in_a_sentence(
    dlg: Any, run: Any, arguments: tuple[str, ...], said: str
) -> None:
    one = run("one")
    result = dlg("repro", *(one if argument == "one" else argument for argument in arguments))
    assert result.exit_code == 2
    assert said in result.output
