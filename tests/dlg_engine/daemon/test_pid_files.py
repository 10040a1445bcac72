from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from dlg.exceptions import UsageError
from dlg_engine.daemon.pid_files import PidFile, read_pid

HOLDER = """
import sys
from pathlib import Path
from dlg_engine.daemon.pid_files import PidFile
kept = PidFile(Path(sys.argv[1]))
print("up", flush=True)
sys.stdin.read()
"""


def test_a_file_is_there_as_long_as_its_process_says(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "dlgNM.pid"
    assert read_pid(path) is None
    file = PidFile(path)
    assert read_pid(path) == os.getpid()
    file.close()
    assert not path.exists()


def test_a_second_process_is_refused(tmp_path: Path) -> None:
    file = PidFile(tmp_path / "a.pid")
    with pytest.raises(UsageError, match=f"runs already, as process {os.getpid()}"):
        PidFile(tmp_path / "a.pid")
    assert read_pid(tmp_path / "a.pid") == os.getpid()
    file.close()


def test_a_file_that_a_killed_process_left_behind_counts_for_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.pid"
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", HOLDER, str(path)]
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert read_pid(path) == process.pid
        process.send_signal(signal.SIGKILL)
        process.wait(20)
    assert path.exists()
    assert read_pid(path) is None
    file = PidFile(path)
    assert read_pid(path) == os.getpid()
    file.close()


def test_what_is_no_number_is_none(tmp_path: Path) -> None:
    (tmp_path / "a.pid").write_text("nonsense")
    assert read_pid(tmp_path / "a.pid") is None
