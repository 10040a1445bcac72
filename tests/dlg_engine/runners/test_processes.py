"""Apps in worker processes: values, failures, deaths, cancellation."""

from __future__ import annotations

import gc
import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dlg.ddap_protocol import DROPStates
from dlg.exceptions import WorkerDiedError
from dlg.support import parcels
from dlg.testing.graphs import app, data
from dlg_engine.embedded import run_graph
from dlg_engine.runners.processes import ProcessRunner
from dlg_engine.sessions.report import RunReport
from dlg_engine.sessions.session import Session

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


@contextmanager
def ending(*pids: int) -> Iterator[None]:
    """Wait, after the block, until processes that nobody here has started have ended."""
    held = [os.pidfd_open(pid) for pid in pids]
    try:
        yield
        for pid, descriptor in zip(pids, held, strict=True):
            waiting = select.poll()
            waiting.register(descriptor, select.POLLIN)
            assert waiting.poll(30_000), f"process {pid} is still running"
    finally:
        for descriptor in held:
            os.close(descriptor)


def pipes(tmp_path: Path, *names: str) -> list[Path]:
    for name in names:
        os.mkfifo(tmp_path / name)
    return [tmp_path / name for name in names]


@pytest.mark.parametrize("heirs", [False, True], ids=["alone", "with a process of its own"])
def test_a_worker_that_is_killed_from_outside_is_replaced(tmp_path: Path, heirs: bool) -> None:
    (pids,) = pipes(tmp_path, "pids")
    fork = " if os.fork() == 0:\n  signal.pause()\n" if heirs else ""
    code = (
        f"def f():\n import os, signal\n own = os.getpid()\n{fork}"
        f" open({str(pids)!r}, 'w').write(f'{{own}} {{os.getpgid(0)}}')\n signal.pause()"
    )
    specs = [function("dies", ["never"], code), data("never")]
    for i in range(3):
        specs += [function(f"lives{i}", [f"d{i}"], f"def f():\n return {i}"), data(f"d{i}")]
    reports: list[RunReport] = []

    def work() -> None:
        reports.append(run_graph(specs, runner="processes", workers=1, workdir=tmp_path))

    running = threading.Thread(target=work)
    running.start()
    pid = int(pids.read_text().split()[0])
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    assert len(children) == heirs
    with ending(*map(int, children)):
        os.kill(pid, signal.SIGKILL)
        running.join(60)
    (report,) = reports
    (error,) = report.errors
    assert (error.uid, type(error.error)) == ("dies", WorkerDiedError)
    assert f"process {pid} that ran it was killed by signal 9" in error.exception
    assert [report.result(f"d{i}") for i in range(3)] == [0, 1, 2]


def test_who_cancels_an_app_too_late_does_not_stop_the_next_one(tmp_path: Path) -> None:
    (pipe,) = pipes(tmp_path, "pipe")
    specs = [
        function("first", ["d"], "def f():\n return 1"), data("d", ["next"]),
        function("next", ["end"], f"def f(d):\n return open({str(pipe)!r}).read()"), data("end"),
    ]  # fmt: skip
    runner = ProcessRunner(1)
    session = Session("late", tmp_path / "late", runner)
    session.add_graph(specs)
    try:
        session.deploy()
        with pipe.open("w") as told:  # opens when the other end has been opened, too
            assert session.live is not None
            session.live.drop(session.live.row_of("first")).interrupt()
            told.write("alive")
        assert session.wait(30)
        session.close()
        assert session.report().result("end") == "alive"
    finally:
        runner.close()


def test_a_large_result_is_there_after_the_run(tmp_path: Path) -> None:
    code = "def f():\n import numpy as np\n return np.ones(1_000_000)"
    report = run([function("make", ["array"], code), data("array")], tmp_path)
    assert report.result("array").sum() == 1_000_000


def test_a_worker_that_is_killed_leaves_no_shared_memory_behind(tmp_path: Path) -> None:
    code = """def f():
 import os, signal
 import numpy as np
 class Deadly:
  def __reduce__(self):
   os.kill(os.getpid(), signal.SIGKILL)
 return np.ones(1_000_000), Deadly()
"""
    ours = f"dlg-{os.getpid()}-*"
    before = set(parcels.BLOCKS.glob(ours))
    runner = ProcessRunner(1)
    specs = [function("a", ["large", "deadly"], code), data("large"), data("deadly")]
    try:
        report = run_graph(specs, runner=runner, workdir=tmp_path, timeout=60)
        assert isinstance(report.errors[0].error, WorkerDiedError)
        assert not set(parcels.BLOCKS.glob(ours)) - before
    finally:
        runner.close()


def test_running_out_of_time_leaves_no_shared_memory_behind(tmp_path: Path) -> None:
    (begun,) = pipes(tmp_path, "begun")
    use = f"def f(array):\n open({str(begun)!r}, 'w').close()\n while True:\n  pass"
    make = "def f():\n import numpy as np\n return np.ones(1_000_000)"
    specs = [
        function("make", ["array"], make), data("array", ["a"]),
        function("a", ["d"], use), data("d"),
    ]  # fmt: skip
    ours = f"dlg-{os.getpid()}-*"
    before = set(parcels.BLOCKS.glob(ours))
    runner = ProcessRunner(1)
    session = Session("late", tmp_path / "late", runner)
    session.add_graph(specs)
    try:
        session.deploy()
        begun.read_text()  # until it has begun
        assert session.cancel("ran out of time")
        gc.collect()
        assert not set(parcels.BLOCKS.glob(ours)) - before
    finally:
        runner.close()


PROGRAM = """
import sys
from dlg_engine.embedded import run_graph
from dlg.testing.graphs import app, data

function = "dlg.apps.python_function.PyFuncApp"
specs = [app("a", ["d"], function, func_code=sys.argv[1]), data("d")]
run_graph(specs, runner="processes", workers=1, workdir=sys.argv[2])
"""


def test_a_worker_does_not_outlive_a_process_that_is_killed(tmp_path: Path) -> None:
    (pids,) = pipes(tmp_path, "pids")
    code = f"def f():\n import os\n open({str(pids)!r}, 'w').write(str(os.getpid()))"
    code += "\n while True:\n  pass"
    program = [sys.executable, "-c", PROGRAM, code, str(tmp_path)]
    with subprocess.Popen(program) as graph, ending(int(pids.read_text())):
        graph.kill()


def test_an_interrupt_from_the_keyboard_does_not_reach_the_workers(tmp_path: Path) -> None:
    specs = [function("a", ["group"], "def f():\n import os\n return os.getpgrp()"), data("group")]
    assert run(specs, tmp_path).result("group") != os.getpgrp()


def test_what_a_cancelled_function_has_started_ends_with_it(tmp_path: Path) -> None:
    (pids,) = pipes(tmp_path, "pids")
    code = "def f():\n import subprocess\n p = subprocess.Popen(['sleep', '3600'])\n"
    code += f" open({str(pids)!r}, 'w').write(str(p.pid))\n p.wait()"
    runner = ProcessRunner(1)
    session = Session("cancelled", tmp_path / "cancelled", runner)
    session.add_graph([function("a", ["d"], code), data("d")])
    try:
        session.deploy()
        with ending(int(pids.read_text())):
            assert session.cancel()
    finally:
        runner.close()
