"""`dlg tasks run`, `work` and `schedule` as processes: what ends them, and what they survive."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.dlg_engine.cli.conftest import PATIENCE_S, Shell, Start

LOOP = """
job_name: sizes
task_list:
  - task: execution_for_loop
    name: grid
    parameter: size
    values: [1, 2, 3]
    task_list:
      - {task: square, value: "(metadata['size'])", outputs: {n: "'n_{size}'.format(**metadata)"}}
  - {task: concatenate, inputs: {all: {gather: grid, output: n}}, outputs: {table: table}}
"""
SQUARE = """
def run(task):
    task.outputs["n"].write_text(f"{task.settings['value'] ** 2} ")
"""
GATED = """
import os

def run(task):
    {death}
    with open({begun!r}, "w") as file:
        file.write("begun")
    with open({gate!r}) as file:
        file.read()
"""
DIES_ONCE = "if task.attempt == 1 and not os.path.exists({mark!r}): open({mark!r}, 'w').close(); os.kill(os.getpid(), 9)"  # noqa: E501


@pytest.fixture
def where(tmp_path: Path) -> tuple[str, ...]:
    return ("--database", str(tmp_path / "t.db"), "--store", str(tmp_path / "store"))


@pytest.fixture
def told(shell: Shell, where: tuple[str, ...]) -> Callable[..., Any]:
    def call(*arguments: str) -> Any:
        done = shell("tasks", *arguments, *where, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return call


class Gate:
    """A job of one task that waits until somebody opens the gate."""

    def __init__(self, folder: Path, death: str = "") -> None:
        self.begun, self.gate = folder / "begun", folder / "gate"
        os.mkfifo(self.begun)
        os.mkfifo(self.gate)
        code = GATED.format(begun=str(self.begun), gate=str(self.gate), death=death or "pass")
        (folder / "task_wait.py").write_text(code)
        (folder / "wait.yaml").write_text("job_name: wait\ntask_list: [{task: wait}]\n")

    def is_begun(self) -> None:
        self.begun.read_text()

    def open(self) -> None:
        self.gate.write_text("")


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    return Gate(tmp_path)


@pytest.mark.slow
def test_run_does_all_of_a_job_and_says_what_came_of_it(
    shell: Shell, where: tuple[str, ...], tmp_path: Path
) -> None:
    (tmp_path / "sizes.yaml").write_text(LOOP)
    (tmp_path / "task_square.py").write_text(SQUARE)
    done = shell("tasks", "run", "sizes.yaml", "-n", "2", *where)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].split() == ["all", "5", "5"]
    done = shell("tasks", "export", "sizes", "out", *where)
    assert (tmp_path / "out/table").read_text() == "1 4 9 "


@pytest.mark.long
def test_run_tells_what_failed_and_exits_with_one(
    shell: Shell, where: tuple[str, ...], tmp_path: Path
) -> None:
    (tmp_path / "bad.json").write_text(
        '{"task_list": [{"task": "error", "message": "clouds", "retries": 1}]}'
    )
    done = shell("tasks", "run", "bad.json", "-n", "1", "--quiet", *where)
    assert done.returncode == 1
    assert "of 2 tasks 1 failed" in done.stderr
    assert f"see: dlg tasks errors --job 1 --traceback {where[0]} {where[1]}" in done.stderr
    assert "2 times: dlg.apps.job_types.TaskFailedError: clouds" in done.stderr
    assert "Traceback" not in done.stderr


def _end(process: subprocess.Popen[str]) -> str:
    _, said = process.communicate(timeout=PATIENCE_S)
    return said


def _until_it_ends(process: subprocess.Popen[str]) -> None:
    """Return when it has said that it has heard it is to end."""
    assert process.stderr is not None
    while line := process.stderr.readline():
        if "what runs is finished first" in line:
            return
    raise AssertionError("it did not say so")


@pytest.fixture
def working(
    start: Start, told: Callable[..., Any], where: tuple[str, ...], gate: Gate
) -> subprocess.Popen[str]:
    told("init")
    told("submit", "wait.yaml")
    process = start("tasks", "work", "-n", "1", "--scheduler", *where)
    gate.is_begun()
    return process


@pytest.mark.slow
@pytest.mark.parametrize(
    "number",
    [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.long)],
    ids=lambda number: str(number.name),
)
def test_told_to_end_workers_finish_what_they_do(
    working: subprocess.Popen[str], gate: Gate, told: Callable[..., Any], number: signal.Signals
) -> None:
    working.send_signal(number)
    _until_it_ends(working)
    gate.open()
    assert "Traceback" not in _end(working)
    assert working.returncode == 0
    assert [one["state"] for one in told("list", "wait")] == ["done", "done"]


@pytest.mark.slow
def test_told_again_they_give_it_up_and_others_can_have_it(
    working: subprocess.Popen[str], gate: Gate, told: Callable[..., Any]
) -> None:
    working.send_signal(signal.SIGINT)
    _until_it_ends(working)
    working.send_signal(signal.SIGINT)
    assert "Traceback" not in _end(working)
    assert working.returncode == 130
    (attempt,) = told("show", "2")["attempts"]
    assert attempt["attempt"]["state"] == "lost"
    assert [one["state"] for one in told("list", "wait")] == ["done", "active"]


@pytest.mark.slow
def test_a_worker_that_is_killed_gives_back_what_it_did(
    shell: Shell, start: Start, where: tuple[str, ...], tmp_path: Path,
    told: Callable[..., Any],
) -> None:  # fmt: skip
    gate = Gate(tmp_path, DIES_ONCE.format(mark=str(tmp_path / "died")))
    process = start("tasks", "run", "wait.yaml", "-n", "1", *where)
    gate.is_begun()
    gate.open()
    said = _end(process)
    assert process.returncode == 0, said
    assert "died with signal 9: another takes its place" in said
    states = [one["attempt"]["state"] for one in told("show", "2")["attempts"]]
    assert states == ["lost", "passed"]


@pytest.mark.slow
def test_workers_that_are_to_end_when_idle_do(
    told: Callable[..., Any], shell: Shell, where: tuple[str, ...], tmp_path: Path
) -> None:
    told("init")
    (tmp_path / "one.json").write_text('{"task_list": [{"task": "null"}]}')
    told("submit", "one.json")
    done = shell("tasks", "work", "-n", "2", "--until-idle", "--scheduler", *where)
    assert done.returncode == 0, done.stderr
    assert [one["state"] for one in told("list", "1")] == ["done", "done"]


@pytest.mark.long
def test_a_type_that_nobody_can_do_is_refused(
    told: Callable[..., Any], shell: Shell, where: tuple[str, ...]
) -> None:
    told("init")
    done = shell("tasks", "work", "-n", "1", "--type", "unknown_here", *where)
    assert done.returncode == 2
    assert "nobody knows tasks of type 'unknown_here'" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_a_scheduler_ends_when_it_is_told_to(
    told: Callable[..., Any], start: Start, where: tuple[str, ...]
) -> None:
    told("init")
    process = start("tasks", "schedule", *where)
    assert process.stderr is not None
    assert "(Ctrl-C ends it)" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    assert _end(process) == ""
    assert process.returncode == 0


@pytest.mark.long
def test_in_interpreters_of_their_own_a_crash_is_that_of_its_task(
    shell: Shell, where: tuple[str, ...], tmp_path: Path, told: Callable[..., Any]
) -> None:
    (tmp_path / "task_crash.py").write_text("import os\n\ndef run(task):\n    os.abort()\n")
    (tmp_path / "job.json").write_text(
        '{"job_name": "j", "task_list": [{"task": "crash"}, {"task": "values", "x": 1},'
        ' {"task": "error", "message": "clouds"}]}'
    )
    done = shell("tasks", "run", "job.json", "-n", "1", "--isolate", "-q", *where)
    assert done.returncode == 1
    assert "died with signal 6" in done.stderr
    assert "another takes its place" not in done.stderr
    messages = {one["message"] for one in told("errors")}
    assert "dlg.apps.job_types.TaskFailedError: clouds" in messages
    assert told("show", "3")["attempts"][0]["metadata"] == {"x": 1}
