"""What a caller of `run_graph` gets wrong is told as his mistake."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dlg.exceptions import InvalidGraphException, NoDropException, UsageError
from dlg.testing import graphs
from dlg_engine.embedded import run_graph


def test_an_app_has_no_result(tmp_path: Path) -> None:
    report = run_graph(graphs.chain(1), workdir=tmp_path)
    (app,) = [uid for uid, drop in report.drops.items() if not hasattr(drop, "value")]
    with pytest.raises(NoDropException, match="it is an app, and only data has a value"):
        report.result(app)


def test_a_time_before_the_start_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="timeout: a number of seconds is expected, not -1"):
        run_graph(graphs.chain(1), workdir=tmp_path, timeout=-1)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("runner", ["threads", "processes", "inline"])
@pytest.mark.parametrize("workers", ["a", "4", 1.5, True, [2]], ids=repr)
def test_workers_that_are_no_whole_number_are_refused(
    tmp_path: Path, workers: Any, runner: str
) -> None:
    with pytest.raises(UsageError, match="workers: a whole number is expected, not"):
        run_graph(graphs.chain(1), workdir=tmp_path, runner=runner, workers=workers)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("timeout", ["soon", True, float("nan")], ids=repr)
def test_a_timeout_that_is_no_number_is_refused(tmp_path: Path, timeout: Any) -> None:
    with pytest.raises(UsageError, match="timeout: a number of seconds is expected, not"):
        run_graph(graphs.chain(1), workdir=tmp_path, timeout=timeout)


def test_numbers_of_numpy_are_numbers(tmp_path: Path) -> None:
    two, a_minute = np.int64(2), np.float64(60)
    report = run_graph(graphs.chain(1), workdir=tmp_path, workers=two, timeout=a_minute)  # type: ignore[arg-type]
    assert report.status == "FINISHED"


def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="Not a directory: .*file/graph-"):
        run_graph(graphs.chain(1), workdir=tmp_path / "file")


@pytest.mark.parametrize(
    ("content", "what"),
    [("null", "null"), ('"x"', "a text"), ("7", "a number"), ("true", "a truth value")],
)
def test_json_that_is_no_graph_is_called_by_its_name(
    tmp_path: Path, content: str, what: str
) -> None:
    (tmp_path / "g.json").write_text(content)
    with pytest.raises(InvalidGraphException, match=f"expected a list of dropspecs, found {what}"):
        run_graph(tmp_path / "g.json", workdir=tmp_path)
