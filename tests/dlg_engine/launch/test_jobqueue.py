"""A Dask cluster of jobs: on a real Slurm, and by stand-ins for the commands of PBS and LSF."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from dlg.exceptions import UsageError
from dlg.testing import graphs
from dlg_engine.backends.batch_workers import _kind, _wanted, workers_of
from tests.dlg_engine.cli.conftest import function_app
from tests.dlg_engine.launch.conftest import Dlg, dlg_in
from tests.dlg_engine.launch.slurm import Slurm, until

BY_JOBS = ("--engine", "dask", "--jobqueue")
# Each takes the script of a job, runs it in the background and says its number.
RUN = 'bash "{home}/script.sh" >"{home}/out" 2>&1 &\necho "$!" >>"{home}/pids"\n'
QSUB = f'#!/bin/sh\ncp "$1" "{{home}}/script.sh"\n{RUN}echo "$!"\n'
BSUB = (
    f'#!/bin/sh\ncat >"{{home}}/script.sh"\n{RUN}echo "Job <$!> is submitted to queue <work>."\n'
)
KILL = '#!/bin/sh\nkill "$1"\necho "$1" >>"{home}/ended"\n'


def write(directory: Path) -> str:
    specs = [function_app("a", "def f():\n    return 6 * 7", ["d"]), graphs.data("d")]
    path = directory / "mine.json"
    path.write_text(json.dumps(specs))
    return str(path)


@pytest.mark.slurm
@pytest.mark.timeout(240)
def test_workers_are_jobs_of_slurm_and_gone_afterwards(
    beside_slurm: Dlg, batch: Slurm, tmp_path: Path
) -> None:
    done = beside_slurm(
        "run", write(tmp_path), *BY_JOBS, "slurm", "--workers", "2", "-J", "memory=400MiB",
        "--report", "report.json", "--timeout", "120", "--workdir", "runs",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "report.json").read_text())["status"] == "FINISHED"
    assert len(list((tmp_path / "runs" / "workers").iterdir())) >= 1
    until(batch.idle, "jobs are left")


@pytest.mark.slurm
def test_jobs_that_slurm_refuses_are_told_as_it_says_it(beside_slurm: Dlg, tmp_path: Path) -> None:
    done = beside_slurm("run", write(tmp_path), *BY_JOBS, "slurm", "-J", "queue=nowhere")
    assert done.returncode == 1
    assert "slurm does not take the jobs" in done.stderr
    assert "nvalid partition" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.fixture
def stand_ins(tmp_path: Path) -> Iterator[Path]:
    """Commands of PBS and LSF that run jobs on this machine."""
    home = tmp_path / "bin"
    home.mkdir()
    for name, text in {"qsub": QSUB, "qdel": KILL, "bsub": BSUB, "bkill": KILL}.items():
        (home / name).write_text(text.replace("{home}", str(home)))
        (home / name).chmod(0o755)
    yield home
    pids = home / "pids"
    for pid in map(int, pids.read_text().split() if pids.exists() else ()):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


@pytest.mark.long
@pytest.mark.timeout(240)
@pytest.mark.parametrize("system", ["pbs", "lsf"])
def test_workers_are_jobs_of_other_batch_systems(
    stand_ins: Path, tmp_path: Path, system: str
) -> None:
    dlg = dlg_in(tmp_path, PATH=f"{stand_ins}:{os.environ['PATH']}")
    done = dlg(
        "config", "set", "ours", f"like={system}", "partition=work", "account=p1", "minutes=90"
    )
    assert done.returncode == 0, done.stderr
    done = dlg(
        "run", write(tmp_path), *BY_JOBS, "ours", "-J", "memory=400MiB", "--timeout", "120",
        *(("-J", "lsf_units=mb") if system == "lsf" else ()),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr + (stand_ins / "out").read_text()
    ended = (stand_ins / "ended").read_text().split()
    assert ended == (stand_ins / "pids").read_text().split()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"core": "3"}, "did you mean 'cores'"),
        ({"cores": "many"}, "cores is a number"),
        ({"walltime": "2 days"}, "walltime is written 01:30:00"),
        ({"security": "none"}, "no option 'security'"),
    ],
)
def test_what_jobs_cannot_be_asked_for_is_told(
    tmp_path: Path, options: dict[str, str], told: str
) -> None:
    with pytest.raises(UsageError, match=told), workers_of("slurm", 1, tmp_path, options):
        pass


@pytest.mark.parametrize(
    ("system", "given", "asked"),
    [("lsf", "1:30:00", "1:30"), ("lsf", "100:05:00", "100:05"), ("slurm", "1:30:00", "1:30:00")],
)
def test_the_time_of_a_job_is_said_as_its_batch_system_reads_it(
    system: str, given: str, asked: str
) -> None:
    assert _wanted(_kind(system), system, {"walltime": given})["walltime"] == asked


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (("--jobqueue", "slurm"), "use it with --engine dask"),
        ((*BY_JOBS, "slurm", "--scheduler", "tcp://127.0.0.1:9"), "use it with --engine dask"),
        (("-J", "cores=3"), "says what jobs of --jobqueue ask for"),
        ((*BY_JOBS, "slrum"), "did you mean 'slurm'"),
        ((*BY_JOBS, "local"), "'shell' is no batch system"),
    ],
)
def test_a_cluster_of_jobs_that_makes_no_sense_is_refused(
    alone: Dlg, tmp_path: Path, args: tuple[str, ...], told: str
) -> None:
    done = alone("run", write(tmp_path), *args)
    assert done.returncode == 2
    assert told in done.stderr
