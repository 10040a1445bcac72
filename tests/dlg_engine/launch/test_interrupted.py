"""A job without a batch system that is told to end, or whose lead is killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from dlg.testing import graphs
from tests.dlg_engine.cli.conftest import function_app
from tests.dlg_engine.launch.slurm import end, until
from tests.dlg_engine.launch.test_slurm import processes_of


@pytest.mark.long
@pytest.mark.timeout(240)
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_no_process_is_left(tmp_path: Path, how: signal.Signals) -> None:
    begun = tmp_path / "begun"
    function = f"def f():\n    import pathlib, time\n    pathlib.Path({str(begun)!r}).touch()\n"
    specs = [function_app("a", f"{function}    time.sleep(600)", ["d"]), graphs.data("d")]
    (tmp_path / "g.json").write_text(json.dumps(specs))
    env = {**os.environ, "DLG_CONFIG_DIR": str(tmp_path / "config")}
    words = [sys.executable, "-m", "dlg_engine.cli", "create-job", "g.json", "-f", "local",
             "--submit", "--name", "long", "-n", "2"]  # fmt: skip
    command = subprocess.Popen(words, cwd=tmp_path, env=env, stdout=subprocess.DEVNULL)
    job = tmp_path / "dlg-jobs" / "long"
    try:
        until(begun.exists, "the app has not begun", 120)
        if how is signal.SIGKILL:
            (lead,) = (p for p in psutil.Process(command.pid).children() if "lead" in p.cmdline())
            lead.kill()
        else:
            command.send_signal(how)
        code = command.wait(90)
        assert code != 0
        until(lambda: not processes_of(job), "processes are left")
    finally:
        end(command)
    if how is not signal.SIGKILL:
        assert json.loads((job / "report.json").read_text())["state"] == "CANCELLED"
