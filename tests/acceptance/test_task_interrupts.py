"""Ctrl-C on a program that runs tasks: what runs ends, and the program is told."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

PROGRAM = """
import os, sys, time
from dlg.taskgraph import Manager, Task

class Builder:
    def wait(self, retry):
        os.write(1, f"{os.getpid()}\\n".encode())
        time.sleep(600)

if __name__ == "__main__":
    manager = Manager(Builder(), nb_workers=2, runner=sys.argv[1], progress=False)
    for tid in ("a", "b"):
        manager.add(Task(tid, {}, "wait"))
    manager.add(Task("c", {}, "wait", ["a"]))
    try:
        manager.start()
    except KeyboardInterrupt:
        print("interrupted", manager.tasks["c"].state, flush=True)
"""


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds, giving way to others meanwhile."""
    deadline = time.monotonic() + 40
    while not holds():
        assert time.monotonic() < deadline
        os.sched_yield()


@pytest.mark.parametrize("runner", ["processes", "threads"])
def test_an_interrupt_ends_what_runs_and_is_raised(tmp_path: Path, runner: str) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    with subprocess.Popen(
        [sys.executable, str(program), runner], stdout=subprocess.PIPE, text=True, cwd=tmp_path
    ) as process:
        assert process.stdout is not None
        try:
            workers = {int(process.stdout.readline()) for _ in range(2)}
            process.send_signal(signal.SIGINT)
            assert process.stdout.readline() == "interrupted 0\n"
            assert process.wait(60) == 0
        finally:
            process.kill()
    until(lambda: not any(alive(pid) for pid in workers))
