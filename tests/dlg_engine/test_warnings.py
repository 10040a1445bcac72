"""What goes wrong without being the failure of a drop is told all the same."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from dlg.data.memory import InMemoryDROP
from dlg.testing.graphs import app, data
from dlg_engine.cli.summary import summary_lines
from dlg_engine.embedded import run_graph


def _refuse(_drop: InMemoryDROP) -> None:
    raise PermissionError("not yours")


@pytest.mark.parametrize("runner", ["inline", "threads", "processes"])
def test_data_that_cannot_be_deleted_is_a_warning(
    runner: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(InMemoryDROP, "_delete_data", _refuse)
    function = "dlg.apps.python_function.PyFuncApp"
    specs = [
        app("make", ["used"], function, func_code="def f():\n return 1"), data("used", ["use"]),
        app("use", ["end"], function, func_code="def f(x):\n return x"), data("end"),
    ]  # fmt: skip
    report = run_graph(specs, runner=runner, workers=1, workdir=tmp_path, timeout=60)
    assert (report.status, report.counts) == ("FINISHED", {"COMPLETED": 3, "EXPIRED": 1})
    (warning,) = report.warnings
    assert warning == "used: the data could not be deleted: PermissionError('not yours')"
    assert report.to_dict()["warnings"] == [warning]
    assert f"  warning: {warning}" in map(click.unstyle, summary_lines(report))
