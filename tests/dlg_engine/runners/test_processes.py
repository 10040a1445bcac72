"""Apps in worker processes: values, failures, deaths, cancellation."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dlg.ddap_protocol import DROPStates
from dlg.exceptions import WorkerDiedError
from dlg.support import parcels
from dlg.testing.graphs import app, data
from dlg_engine.embedded import run_graph
from dlg_engine.sessions.report import RunReport

FUNCTION = "dlg.apps.python_function.PyFuncApp"


def function(oid: str, outputs: list[str], code: str, **spec: Any) -> dict[str, Any]:
    return app(oid, outputs, FUNCTION, func_code=code, **spec)


def run(specs: list[dict[str, Any]], tmp_path: Path, **options: Any) -> RunReport:
    return run_graph(specs, runner="processes", workers=2, workdir=tmp_path, timeout=60, **options)


def test_functions_run_in_other_processes_and_their_results_come_back(tmp_path: Path) -> None:
    report = run(
        [function("a", ["pid"], "def f():\n import os\n return os.getpid()"), data("pid")],
        tmp_path,
    )
    assert report.result("pid") != os.getpid()


def test_a_large_array_goes_from_process_to_process(tmp_path: Path) -> None:
    specs = [
        function(
            "make", ["array"], "def f():\n import numpy as np\n return np.arange(1_000_000.0)"
        ),
        data("array", ["sum"]),
        function("sum", ["total"], "def f(array):\n array += 1\n return float(array.sum())"),
        data("total"),
    ]
    report = run(specs, tmp_path)
    assert report.result("total") == pytest.approx(np.arange(1_000_000.0).sum() + 1_000_000)


def test_no_block_of_shared_memory_is_left_behind(tmp_path: Path) -> None:
    ours = f"dlg-{os.getpid()}-*"
    before = set(parcels.BLOCKS.glob(ours))
    test_a_large_array_goes_from_process_to_process(tmp_path)
    assert not set(parcels.BLOCKS.glob(ours)) - before


def test_one_array_serves_several_consumers(tmp_path: Path) -> None:
    sums = [f"s{i}" for i in range(4)]
    specs = [
        function("make", ["array"], "def f():\n import numpy as np\n return np.ones(100_000)"),
        data("array", [f"f{i}" for i in range(4)]),
    ]
    for i, oid in enumerate(sums):
        specs += [function(f"f{i}", [oid], "def f(x):\n return x.sum()"), data(oid)]
    report = run(specs, tmp_path)
    assert [report.result(oid) for oid in sums] == [100_000.0] * 4


def test_an_exception_keeps_its_type_and_the_traceback_from_the_other_process(
    tmp_path: Path,
) -> None:
    report = run(
        [function("a", ["d"], "def broken():\n return {}['missing']"), data("d")], tmp_path
    )
    (error,) = report.errors
    assert isinstance(error.error, KeyError)
    assert "in broken" in error.traceback
    assert report.drops["d"].status is DROPStates.ERROR


def test_a_worker_that_is_killed_fails_its_drop_and_the_rest_goes_on(tmp_path: Path) -> None:
    kill = "def f():\n import os, signal\n os.kill(os.getpid(), signal.SIGKILL)"
    specs = [function("dies", ["never"], kill), data("never")]
    for i in range(6):
        specs += [function(f"lives{i}", [f"d{i}"], f"def f():\n return {i}"), data(f"d{i}")]
    report = run(specs, tmp_path)
    (error,) = report.errors
    assert isinstance(error.error, WorkerDiedError)
    assert "killed by signal 9 (SIGKILL)" in error.exception
    assert [report.result(f"d{i}") for i in range(6)] == list(range(6))


def test_running_out_of_time_ends_a_function_that_never_returns(tmp_path: Path) -> None:
    specs = [function("a", ["d"], "def f():\n while True:\n  pass"), data("d")]
    report = run_graph(specs, runner="processes", workers=1, workdir=tmp_path, timeout=1.5)
    assert report.status == "CANCELLED"
    assert report.counts == {"CANCELLED": 2}


def test_a_value_that_cannot_be_sent_is_a_clear_failure(tmp_path: Path) -> None:
    code = "def f():\n import threading\n return threading.Lock()"
    report = run([function("a", ["d"], code), data("d")], tmp_path)
    assert "cannot" in report.errors[0].exception


def test_files_are_written_where_the_graph_says(tmp_path: Path) -> None:
    code = "def f(out):\n from pathlib import Path\n Path(out).write_text('hello')"
    arguments = {"out": {"encoding": "path", "usage": "OutputPort"}}
    specs = [
        app("a", [{"f": "out"}], FUNCTION, func_code=code, applicationArgs=arguments),  # type: ignore[list-item]
        {
            "oid": "f",
            "categoryType": "Data",
            "dropclass": "dlg.data.file.FileDROP",
            "filepath": "x/y.txt",
        },
    ]
    report = run(specs, tmp_path)
    assert report.status == "FINISHED", report.errors
    assert (report.session_dir / "x" / "y.txt").read_text() == "hello"
