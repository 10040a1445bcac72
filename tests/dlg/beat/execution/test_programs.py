"""The programs of an environment: ours, and those of the existing packages."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dlg.beat.execution import SubprocessExecutor
from dlg.beat.message_handler import MessageHandler
from dlg.beat.processes.client import UnfitEnvironmentError
from tests.dlg.beat.execution.blocks import PASS, Prefix
from tests.dlg.beat.execution.test_existing_packages import PREFIX, PYTHON, files, run

PROGRAMS = ("execute", "databases_provider", "loop_execute")
HERE = Path(__file__).parent
EXECUTE_TOO_FAR = """
import sys
from dlg.beat.processes.watching import Breach, Limit
from dlg.beat.scripts import execute, supervised

def run(limits, work):
    return supervised.run(limits, work)[0], Breach(Limit.PROCESSES, "too many")

execute.run = run
sys.exit(execute.main(sys.argv[1:]))
"""
LABELS = ["user/user/single/1/single", "user/user/loop/1/loop", "user/user/inputs_mix/3/test"]


@pytest.fixture
def environment(tmp_path: Path) -> str:
    """Return a Python beside which our programs are."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in PROGRAMS:
        (folder / name).write_text(
            f'#!/bin/sh\nexec {sys.executable} -m dlg.beat.scripts.{name} "$@"\n'
        )
        (folder / name).chmod(0o755)
    python = folder / "python"
    python.write_text("#!/bin/sh\necho 'no module named numpy' >&2\nexit 1\n")
    python.chmod(0o755)
    return str(python)


@pytest.fixture
def prefix(tmp_path: Path) -> Prefix:
    made = Prefix(tmp_path)
    made.database(9)
    return made


def process(prefix: Prefix, python: str, block: dict[str, Any], **limits: Any) -> dict[str, Any]:
    executor = SubprocessExecutor(prefix.path, block, cache=prefix.cache, python_path=python)
    assert executor.valid, executor.errors
    with executor:
        return executor.process(**limits)


def test_an_interpreter_that_does_not_do_has_programs_beside_it(
    prefix: Prefix, environment: str
) -> None:
    name = prefix.algorithm(PASS)
    for limits in ([0, 3], [4, 8]):
        block = prefix.block(name, range=limits)
        result = process(prefix, environment, block)
        assert (result["status"], result["system_error"]) == (0, "")
    assert prefix.values(block) == [(i + 1, i, i) for i in range(9)]
    assert result["statistics"]["data"]["blocks"]["write"] == 5
    cpu = result["statistics"]["cpu"]
    assert cpu["user"] + cpu["system"] > 0


def test_an_interpreter_without_programs_is_no_environment(prefix: Prefix, tmp_path: Path) -> None:
    with pytest.raises(UnfitEnvironmentError, match="Invalid environment"):
        process(prefix, str(tmp_path / "none"), prefix.block(prefix.algorithm(PASS)))


@pytest.mark.parametrize(
    ("body", "status", "text"),
    [
        ("return 1 / 0", 1, "ZeroDivisionError"),
        ("sys.exit(3)", 3, "sys.exit(3)"),
        ("os._exit(3)", 3, "exit code 3"),
        ("held = numpy.ones(10**9)", 1, "not enough memory"),
        ("while True: pass", -9, "time limit"),
        ("[os.fork() or time.sleep(100) for _ in range(50)]", -9, "the limit of 32"),
    ],
)
def test_programs_hold_to_limits_too(
    prefix: Prefix, environment: str, body: str, status: int, text: str
) -> None:
    block = prefix.block(prefix.algorithm(body))
    limits = {"virtual_memory_in_megabytes": 400, "timeout_in_minutes": 0.1}
    result = process(prefix, environment, block, **limits)
    assert text in result["user_error"]
    assert result["status"] in {status, 1}
    assert prefix.left_behind(block) == []


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    ("body", "code", "texts"),
    [
        ("return 1 / 0", 1, ["The block was ended: too many", "ZeroDivisionError"]),
        ("os.kill(os.getpid(), 9)", 1, ["The block was ended: too many"]),
        (PASS, 0, []),
    ],
)
def test_who_has_told_how_it_went_and_passed_a_limit_still_ends(
    prefix: Prefix, tmp_path: Path, body: str, code: int, texts: list[str]
) -> None:
    prefix.cached("1" * 64, 9)
    block = prefix.block(prefix.algorithm(body), "1" * 64)
    executor = SubprocessExecutor(prefix.path, block, cache=prefix.cache)
    executor.dump_runner_configuration(str(tmp_path / "dumped"))
    handler = MessageHandler("127.0.0.1:*")
    handler.start()
    arguments = [f"--cache={prefix.cache}", handler.address, str(tmp_path / "dumped")]
    command = [sys.executable, "-c", EXECUTE_TOO_FAR, *arguments]
    assert subprocess.run(command, check=False, timeout=50).returncode == code
    handler.stop()
    assert [text for text in texts if text not in handler.user_error] == []
    assert bool(handler.user_error) == bool(texts)
    assert bool(handler.statistics) == (not texts)


def test_a_provider_that_crashes_ends_the_block(prefix: Prefix, environment: str) -> None:
    prefix.database(9, crash_at=2)
    result = process(prefix, environment, prefix.block(prefix.algorithm(PASS)))
    assert "SIGSEGV" in result["user_error"]


# --- with the existing packages ------------------------------------------------------------------


def needs_peer() -> None:
    if not PYTHON.exists() or not PREFIX.is_dir():
        pytest.skip("needs BEAT's packages: make beat-peer")


class ByTheirPrograms(SubprocessExecutor):
    """Uses the programs of the existing packages."""

    by_programs = True

    def __init__(self, prefix: str, data: object, cache: str) -> None:
        super().__init__(prefix, data, cache, python_path=str(PYTHON))


@pytest.mark.peer
@pytest.mark.parametrize("label", LABELS)
def test_their_programs_work_for_our_executor(label: str, tmp_path: Path) -> None:
    needs_peer()
    folders = [tmp_path / name for name in ("ours", "theirs")]
    for folder in folders:
        folder.mkdir()
    ours, theirs = (
        run(label, kind, folder)
        for kind, folder in zip((SubprocessExecutor, ByTheirPrograms), folders, strict=True)
    )
    assert ours == theirs
    assert files(folders[0]) == files(folders[1])


@pytest.mark.peer
@pytest.mark.parametrize("label", LABELS)
def test_our_programs_work_for_their_executor(
    label: str, environment: str, tmp_path: Path
) -> None:
    needs_peer()
    program = HERE.parent / "peer" / "run_experiments.py"
    done = subprocess.run(
        [PYTHON, program, PREFIX, tmp_path / "theirs", environment, label],
        stdout=subprocess.PIPE,
        timeout=100,
        check=True,
    )
    told = json.loads(done.stdout)
    ours = tmp_path / "ours"
    ours.mkdir()
    assert run(label, SubprocessExecutor, ours) == told["blocks"]
    assert files(ours) == files(tmp_path / "theirs" / told["folder"])
