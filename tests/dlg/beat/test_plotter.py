from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dlg.beat.plotter import Plotter
from dlg.beat.plotterparameter import Plotterparameter
from tests.dlg.beat.small import PLOTTER, declare, fill


@pytest.fixture
def prefix(tmp_path: Path) -> str:
    fill(tmp_path)
    return str(tmp_path)


def test_a_plotter_draws_after_it_was_set_up(prefix: str) -> None:
    runner = Plotter(prefix, "me/points/1").runner()
    with pytest.raises(RuntimeError, match="not yet set up"):
        runner.process([])
    runner.setup({"colour": "blue"})
    assert runner.process([]) == b"blue"
    with pytest.raises(RuntimeError, match="inputs are missing"):
        runner.process()


def test_a_plotter_knows_what_it_draws(prefix: str) -> None:
    points = Plotter(prefix, "me/points/1")
    assert points.valid
    assert points.dataformat is not None
    assert points.dataformat.name == "plot/points/1"
    assert points.clean_parameter("colour", "red") == "red"
    with pytest.raises(ValueError, match="must be one of"):
        points.clean_parameter("colour", "green")


@pytest.mark.parametrize(
    "change",
    [
        {"dataformat": "me/number/1"},
        {"dataformat": "plot/none/1"},
        {"parameters": {"colour": {"type": "int8", "default": "x"}}},
        {"uses": {"x": "nothing"}},
        {"language": "cobol"},
        {"more": 1},
    ],
)
def test_a_wrong_plotter_is_one_error(prefix: str, change: dict[str, Any]) -> None:
    assert len(Plotter(prefix, ({**PLOTTER, **change}, "pass")).errors) == 1


def test_prototypes_ask_for_a_format_that_is_to_be_filled_in(prefix: str) -> None:
    (error,) = Plotter(prefix, None).errors
    assert "`plot/unknown/1'" in error
    (error,) = Plotterparameter(prefix, None).errors
    assert "plot/unknown/1" in error


def test_values_for_a_plotter_are_compared_with_it(prefix: str) -> None:
    blue = Plotterparameter(prefix, "me/blue/1")
    assert blue.valid
    assert blue.plotter is not None
    assert blue.plotter.name == "me/points/1"
    assert blue.values == {"colour": "blue"}


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"size": 3}, "'size' isn't a parameter for plotter me/points/1"),
        ({"colour": "green"}, "'green' is invalid for parameter colour"),
        ({"colour": [1]}, "/data/colour: "),
        ({"a b": 1}, "/data: "),
    ],
)
def test_a_wrong_value_is_one_error(prefix: str, values: dict[str, Any], told: str) -> None:
    (error,) = Plotterparameter(prefix, {"plotter": "me/points/1", "data": values}).errors
    assert error.startswith(told)


def test_a_plotter_that_is_not_there_is_an_error(prefix: str) -> None:
    (error,) = Plotterparameter(prefix, {"plotter": "me/none/1", "data": {}}).errors
    assert error.startswith("Plotter declaration file not found: ")


def test_a_plotter_that_was_loaded_is_used_again(prefix: str) -> None:
    points = Plotter(prefix, "me/points/1")
    declaration = {"plotter": "me/points/1", "data": {}}
    assert Plotterparameter(prefix, (declaration, points)).plotter is points
    cache = {"me/points/1": points}
    assert Plotterparameter(prefix, "me/blue/1", cache).plotter is points


def test_values_are_exported_with_their_plotter(prefix: str, tmp_path: Path) -> None:
    Plotterparameter(prefix, "me/blue/1").export(str(tmp_path / "other"))
    exported = Plotterparameter(str(tmp_path / "other"), "me/blue/1")
    assert exported.valid
    assert exported.hash() == Plotterparameter(prefix, "me/blue/1").hash()


def test_a_library_can_be_used_by_a_plotter(prefix: str) -> None:
    code = "class Plotter:\n    def process(self, inputs):\n        return tools.twice(21)\n"
    declare(
        Path(prefix), "plotters", "me/using/1", {**PLOTTER, "uses": {"tools": "me/tools/1"}}, code
    )
    runner = Plotter(prefix, "me/using/1").runner()
    assert runner.process([("label", None)]) == 42
