"""Scripts of jobs, and the commands that start their ranks."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlg.exceptions import UsageError
from dlg_engine.launch.facilities import BUILT_IN, Facility
from dlg_engine.launch.jobs import Job, read_job, write_job
from dlg_engine.launch.scripting import script_of
from dlg_engine.launch.starting import commands, rank_of

JOB = Job(
    name="night", graph="graph/night.graph", facility="f", scheduler="slurm", launcher="srun",
    nodes=4, ranks_per_node=2, minutes=90, cpus=8,
)  # fmt: skip


@pytest.mark.parametrize(
    ("scheduler", "lines"),
    [
        ("slurm", ["#SBATCH --nodes=4", "#SBATCH --time=90", "#SBATCH --cpus-per-task=8",
                   "#SBATCH --account=p1", "#SBATCH --partition=work", "#SBATCH --mem=0"]),
        ("pbs", ["#PBS -l select=4:ncpus=16:mpiprocs=2", "#PBS -l walltime=01:30:00", "#PBS -A p1",
                 "#PBS -q work", "#PBS --mem=0"]),
        ("lsf", ["#BSUB -n 8", "#BSUB -W 90", "#BSUB -P p1", "#BSUB -q work"]),
        ("shell", []),
    ],
)  # fmt: skip
def test_a_script_asks_its_batch_system_for_what_the_job_needs(
    scheduler: str, lines: list[str]
) -> None:
    facility = msgspec.structs.replace(
        BUILT_IN["local" if scheduler == "shell" else scheduler], account="p1", partition="work",
        directives=("--mem=0",), setup=("module load dlg",), dlg="/opt/dlg",
    )  # fmt: skip
    script = script_of(JOB, facility)
    assert set(lines) <= set(script.splitlines())
    assert "\nmodule load dlg\n" in script.partition("exec /opt/dlg job lead .")[0]
    assert "@" not in script.replace("TERM@60", "")
    checked = subprocess.run(["bash", "-n"], input=script, text=True, check=False)
    assert checked.returncode == 0


STUBBORN = """
import signal, sys
def end(*_):
    print("kept", flush=True)
    sys.exit(3)
signal.signal(signal.SIGTERM, end)
print(signal.getsignal(signal.SIGUSR2).name, flush=True)
while True:
    signal.pause()
"""


def test_a_job_of_lsf_whose_time_is_over_keeps_what_there_is(tmp_path: Path) -> None:
    (tmp_path / "lead.py").write_text(STUBBORN)
    ours = msgspec.structs.replace(
        BUILT_IN["lsf"], dlg=shlex.join([sys.executable, str(tmp_path / "lead.py")])
    )
    script = tmp_path / "job.sh"
    script.write_text(script_of(JOB, ours))
    with subprocess.Popen(
        ["bash", str(script)], cwd=tmp_path, stdout=subprocess.PIPE, text=True,
        start_new_session=True,
    ) as process:  # fmt: skip
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "SIG_IGN\n"
            os.killpg(process.pid, signal.SIGUSR2)
            assert process.stdout.readline() == "kept\n"
            assert process.wait(60) == 3
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def test_a_template_with_a_gap_that_nothing_fills_is_refused() -> None:
    with pytest.raises(UsageError, match="nothing fills: colour; known are name, nodes"):
        script_of(JOB, Facility(), "#SBATCH @colour@ @nodes@")


def test_signs_of_shells_and_batch_systems_in_a_template_stay() -> None:
    text = "echo $HOME ${A:-b} {c} 100% me@example.org $(date)\n"
    assert script_of(JOB, Facility(), text) == text


RANK = ["dlg", "job", "rank"]


def test_ranks_are_started_at_once_where_the_launcher_can() -> None:
    found = commands("srun -N{hosts} -n {ranks}", RANK, hosts=["a", "b"], per_host=2)
    assert found == [["srun", "-N2", "-n", "4", *RANK]]


@given(st.integers(1, 5), st.integers(1, 4))
def test_else_each_rank_is_started_once_on_its_host(hosts: int, per_host: int) -> None:
    names = [f"h{k}" for k in range(hosts)]
    found = commands("blaunch {host}", RANK, hosts=names, per_host=per_host)
    assert [int(words[-1]) for words in found] == list(range(hosts * per_host))
    assert [words[1] for words in found] == [names[k // per_host] for k in range(len(found))]


@pytest.mark.parametrize("launcher", ["srun {colour}", "srun 'a", "srun {0}"])
def test_a_launcher_that_cannot_be_used_is_refused(launcher: str) -> None:
    with pytest.raises(UsageError, match="cannot be used"):
        commands(launcher, RANK, hosts=["a"], per_host=1)


def test_which_rank_a_process_is_stands_in_the_variables_of_what_started_it() -> None:
    assert rank_of({"SLURM_PROCID": "3"}) == 3
    assert rank_of({"SLURM_PROCID": "", "PMI_RANK": "0"}) == 0
    with pytest.raises(UsageError, match="SLURM_PROCID"):
        rank_of({})


def test_the_directory_of_a_job_has_the_graph_and_the_modules_beside_it(tmp_path: Path) -> None:
    beside, more = tmp_path / "beside", tmp_path / "more"
    for folder in (beside / "pack" / "inner", beside / "data", more):
        folder.mkdir(parents=True)
    for file in ("night.graph", "sky.py", "pack/__init__.py", "pack/inner/star.py", "data/x.py"):
        (beside / file).write_text(file)
    (more / "sky.py").write_text("another")
    (more / "moon.py").write_text("")
    write_job(tmp_path / "job", JOB, beside / "night.graph", [beside, more], "#!/bin/sh\n")
    made = tmp_path / "job"
    found = {str(path.relative_to(made)) for path in made.rglob("*") if path.is_file()}
    assert found == {
        "job.json", "job.sh", "graph/night.graph", "code/sky.py", "code/pack/__init__.py",
        "code/pack/inner/star.py", "code/moon.py",
    }  # fmt: skip
    assert (made / "code" / "sky.py").read_text() == "sky.py"
    assert read_job(made) == JOB
    with pytest.raises(UsageError, match="choose another --name"):
        write_job(made, JOB, beside / "night.graph", [], "")


def test_what_is_no_job_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no directory of a job"):
        read_job(tmp_path)
    (tmp_path / "job.json").write_text("{}")
    with pytest.raises(UsageError, match="describes no job"):
        read_job(tmp_path)
