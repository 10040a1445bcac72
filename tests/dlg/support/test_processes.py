"""Tests of dlg.support.processes."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from dlg.support.processes import ExistingProcess

WAITS = "import sys; sys.stdin.read()"
# Starts a process, says its number, and does not take notice of its end.
PARENT = (
    "import subprocess, sys\n"
    "child = subprocess.Popen([sys.executable, '-c', sys.argv[1]], stdin=subprocess.PIPE)\n"
    "print(child.pid, flush=True)\n"
    "sys.stdin.read()\n"
)


@pytest.fixture
def waiting() -> Iterator[subprocess.Popen[bytes]]:
    """Return a process of ours that waits until its input is closed."""
    with subprocess.Popen([sys.executable, "-c", WAITS], stdin=subprocess.PIPE) as process:
        yield process
        process.kill()


@pytest.fixture
def of_another() -> Iterator[int]:
    """Return the number of a process whose parent, not us, does not take notice of its end."""
    command = [sys.executable, "-c", PARENT, WAITS]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        yield int(parent.stdout.readline())
        parent.kill()


def test_a_process_that_runs_has_no_exit_status(waiting: subprocess.Popen[bytes]) -> None:
    assert ExistingProcess(waiting.pid).poll() is None


def test_waiting_for_a_process_that_runs_times_out(waiting: subprocess.Popen[bytes]) -> None:
    with pytest.raises(TimeoutError, match=str(waiting.pid)):
        ExistingProcess(waiting.pid).wait(0.01)


def test_the_exit_status_of_a_child_is_known() -> None:
    child = subprocess.Popen([sys.executable, "-c", "raise SystemExit(3)"])
    process = ExistingProcess(child.pid)
    assert process.wait(60) == 3
    assert process.poll() == process.wait() == 3
    child.wait()


@pytest.mark.parametrize(
    ("method", "number"), [("terminate", signal.SIGTERM), ("kill", signal.SIGKILL)]
)
def test_a_signal_ends_it(
    waiting: subprocess.Popen[bytes], method: str, number: signal.Signals
) -> None:
    process = ExistingProcess(waiting.pid)
    getattr(process, method)()
    assert process.wait(60) == -number


def test_the_end_of_a_process_of_somebody_else_is_noticed(of_another: int) -> None:
    process = ExistingProcess(of_another)
    assert process.poll() is None
    process.kill()
    assert process.wait(60) == 0
    assert process.poll() == 0


def test_a_process_that_is_gone_has_finished_and_takes_no_signal() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as child:
        child.wait()
        process = ExistingProcess(child.pid)
        process.kill()
        assert process.poll() == process.wait() == 0
