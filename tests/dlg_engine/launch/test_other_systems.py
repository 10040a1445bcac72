"""Jobs for PBS and LSF, whose commands have stand-ins here: what they are told is what counts."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from dlg.testing import graphs
from tests.dlg_engine.launch.conftest import dlg_in

# They run a job at once and say what these systems say; which hosts there are stands in variables.
COMMANDS = {
    "qsub": (
        '#!/bin/sh\n[ "$1" = -W ] && [ "$2" = block=true ] || exit 9\necho 7.head\n'
        'printf "vm\\nvm\\n" >hosts\nPBS_NODEFILE=hosts PBS_O_WORKDIR="$PWD" bash "$3" >&2\n'
    ),
    "pbsdsh": '#!/bin/sh\n[ "$1" = -n ] && [ "$3" = -- ] || exit 9\nshift 3\nexec "$@"\n',
    "bsub": (
        '#!/bin/sh\n[ "$1" = -K ] || exit 9\necho "Job <8> is submitted to queue <work>."\n'
        'LSB_MCPU_HOSTS="vm 2" LS_SUBCWD="$PWD" bash -s >&2\n'
    ),
    "blaunch": '#!/bin/sh\n[ "$1" = vm ] || exit 9\nshift\nexec "$@"\n',
}


@pytest.mark.long
@pytest.mark.timeout(240)
@pytest.mark.parametrize(("system", "number"), [("pbs", "7.head"), ("lsf", "8")])
def test_a_job_runs_its_graph_with_a_process_for_each_rank(
    tmp_path: Path, system: str, number: str
) -> None:
    home = tmp_path / "bin"
    home.mkdir()
    for name, text in COMMANDS.items():
        (home / name).write_text(text)
        (home / name).chmod(0o755)
    (tmp_path / "g.json").write_text(json.dumps(graphs.chain(3)))
    dlg = dlg_in(tmp_path, PATH=f"{home}:{os.environ['PATH']}")
    done = dlg("create-job", "g.json", "-f", system, "--wait", "--name", "one", "-w", "jobs",
               "--ranks-per-node", "2")  # fmt: skip
    job = tmp_path / "jobs" / "one"
    assert done.returncode == 0, done.stderr
    assert f"job {number};" in done.stderr
    assert json.loads((job / "report.json").read_text())["state"] == "FINISHED"
    assert {"node-0.log", "node-1.log"} <= {path.name for path in (job / "logs").iterdir()}
