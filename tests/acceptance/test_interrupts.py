"""Ctrl-C and the like on a real process: what is running ends, and says so."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dlg.testing.graphs import app, data

PATIENCE_S = 40.0
BASH = "dlg.apps.bash.BashShellApp"
FILE = {"categoryType": "Data", "dropclass": "dlg.data.file.FileDROP"}


def until(holds: Callable[[], bool], what: str) -> None:
    """Wait until something holds, giving way to others meanwhile."""
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline, what
        os.sched_yield()


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


class Running:
    """A `dlg run` whose commands have all said that they are running."""

    def __init__(self, tmp_path: Path, runner: str, trap: str = "") -> None:
        self.pids_file, self.report = tmp_path / "pids", tmp_path / "report.json"
        say = f"echo $BASHPID >> {shlex.quote(str(self.pids_file))}"
        inner = f"{trap}{say}; while true; do sleep 60; done"
        specs: list[dict[str, Any]] = []
        for i in range(2):
            command = f"echo begun > %o0; ({inner}) & {inner}"
            specs += [app(f"c{i}", [f"f{i}"], BASH, command=command)]
            specs += [{**FILE, "oid": f"f{i}", "filepath": f"f{i}", "consumers": [f"after{i}"]}]
            specs += [app(f"after{i}", [f"end{i}"]), data(f"end{i}")]
        graph = tmp_path / "g.graph"
        graph.write_text(json.dumps(specs))
        command_line = [
            sys.executable, "-m", "dlg_engine.cli", "run", str(graph), "--runner", runner,
            "--workers", "2", "--workdir", str(tmp_path), "--report", str(self.report),
        ]  # fmt: skip
        self.process = subprocess.Popen(
            command_line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path,
            start_new_session=True,
        )  # fmt: skip
        try:
            until(lambda: len(self.pids()) == 4, "the commands did not begin")
        except BaseException:
            self.process.kill()
            self.process.communicate()
            raise

    def pids(self) -> list[int]:
        if not self.pids_file.exists():
            return []
        return [int(pid) for pid in self.pids_file.read_text().split()]

    def end(self) -> tuple[int, str]:
        out, err = self.process.communicate(timeout=PATIENCE_S)
        return self.process.returncode, out + err

    def assert_nothing_is_left(self) -> None:
        until(lambda: not any(map(alive, self.pids())), "commands are still running")


@pytest.mark.parametrize("runner", ["threads", "processes"])
def test_an_interrupt_kills_the_commands_writes_the_report_and_ends_with_130(
    tmp_path: Path, runner: str
) -> None:
    running = Running(tmp_path, runner)
    running.process.send_signal(signal.SIGINT)
    code, output = running.end()
    assert code == 130, output
    running.assert_nothing_is_left()
    assert "CANCELLED (interrupted from the keyboard)" in output
    assert "Traceback" not in output
    report = json.loads(running.report.read_text())
    assert (report["status"], report["counts"]) == ("CANCELLED", {"CANCELLED": 8})
    assert [p.name for p in sorted(Path(report["session_dir"]).iterdir())] == ["f0", "f1"]


def test_being_told_to_end_is_like_an_interrupt(tmp_path: Path) -> None:
    running = Running(tmp_path, "threads")
    running.process.send_signal(signal.SIGTERM)
    code, output = running.end()
    assert code == 130, output
    running.assert_nothing_is_left()
    assert "CANCELLED (the process was told to end)" in output
    assert json.loads(running.report.read_text())["status"] == "CANCELLED"


def test_commands_that_will_not_listen_are_killed_all_the_same(tmp_path: Path) -> None:
    running = Running(tmp_path, "threads", trap="trap '' TERM INT; ")
    running.process.send_signal(signal.SIGINT)
    code, output = running.end()
    assert code == 130, output
    running.assert_nothing_is_left()


def test_a_second_interrupt_kills_the_commands_that_did_not_listen_to_the_first(
    tmp_path: Path,
) -> None:
    told = tmp_path / "told"
    trap = f"trap 'echo told >> {shlex.quote(str(told))}' TERM; trap '' INT; "
    running = Running(tmp_path, "threads", trap=trap)
    running.process.send_signal(signal.SIGINT)
    until(told.exists, "the first interrupt was not passed on")
    running.process.send_signal(signal.SIGINT)
    code, output = running.end()
    assert code == 130, output
    assert "Traceback" not in output
    running.assert_nothing_is_left()


LEAVES = """
import threading
from pathlib import Path
from dlg.support.commands import Command

command = Command({line!r}, directory=None, environment={{}})
threading.Thread(target=command.wait, daemon=True).start()
while not Path({begun!r}).exists():
    command._process.poll()
"""


def test_a_command_does_not_outlive_the_process_that_waits_for_it(tmp_path: Path) -> None:
    begun = tmp_path / "begun"
    line = f"trap '' TERM INT; echo $$ > {begun}.new; mv {begun}.new {begun}; while :; do :; done"
    program = LEAVES.format(line=line, begun=str(begun))
    subprocess.run([sys.executable, "-c", program], check=True, timeout=PATIENCE_S)
    until(lambda: not alive(int(begun.read_text())), "the command is still running")
