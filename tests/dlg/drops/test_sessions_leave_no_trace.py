"""What a session never touches: the process around it."""

from __future__ import annotations

import logging
import os
import threading
from pathlib import Path

import pytest

from dlg.testing.graphs import app, chain, data
from dlg_engine.embedded import run_graph
from dlg_engine.runners import make_runner

FUNCTION = "dlg.apps.python_function.PyFuncApp"
LOOK = "def f():\n    import os\n    return os.getcwd(), dict(os.environ)"


@pytest.mark.parametrize("runner", ["inline", "threads"])
def test_the_working_directory_and_the_environment_stay(tmp_path: Path, runner: str) -> None:
    before = os.getcwd(), dict(os.environ)  # noqa: PTH109  compared with what an app sees
    report = run_graph(
        [app("look", ["d"], FUNCTION, func_code=LOOK), data("d")], runner=runner, workdir=tmp_path
    )
    assert report.result("d") == before
    assert (os.getcwd(), dict(os.environ)) == before  # noqa: PTH109


def test_no_handler_of_log_records_is_added(tmp_path: Path) -> None:
    before = list(logging.root.handlers), list(logging.getLogger("dlg").handlers)
    run_graph(chain(50), runner="threads", workdir=tmp_path)
    assert (logging.root.handlers, logging.getLogger("dlg").handlers) == before


def test_threads_belong_to_the_runner_and_not_to_drops(tmp_path: Path) -> None:
    before = threading.active_count()
    runner = make_runner("threads", 2)
    try:
        run_graph(chain(500), runner=runner, workdir=tmp_path)
        assert threading.active_count() <= before + 2
    finally:
        runner.close()


def test_a_relative_working_directory_is_taken_when_the_run_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    report = run_graph(chain(1), runner="inline", workdir="runs")
    assert report.session_dir.parent == tmp_path / "runs"


def test_each_run_has_a_directory_of_its_own(tmp_path: Path) -> None:
    reports = [run_graph(chain(1), runner="inline", workdir=tmp_path) for _ in range(3)]
    assert len({report.session_dir for report in reports}) == 3
    assert len({report.session_id for report in reports}) == 3
