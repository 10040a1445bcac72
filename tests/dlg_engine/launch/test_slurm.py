"""Jobs on a real Slurm of two nodes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import psutil
import pytest

from dlg.testing import graphs
from dlg_engine.launch.hostlists import unfold
from tests.dlg_engine.cli.conftest import function_app
from tests.dlg_engine.launch.conftest import Dlg
from tests.dlg_engine.launch.slurm import Slurm, until

pytestmark = [pytest.mark.slurm, pytest.mark.timeout(300)]


def made_of(function: str) -> list[dict[str, Any]]:
    """A graph with one app."""
    return [function_app("a", function, ["d"]), graphs.data("d")]


def write(directory: Path, specs: list[dict[str, Any]]) -> str:
    path = directory / "mine.json"
    path.write_text(json.dumps(specs))
    return str(path)


def report_of(directory: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((directory / "report.json").read_text())
    return found


def number_of(told: str) -> str:
    """Return the number of the job that was submitted."""
    return told.split()[1].rstrip(";")


def processes_of(directory: Path) -> list[psutil.Process]:
    """Processes that know the directory of a job, or stand in it."""
    found = []
    for process in psutil.process_iter():
        try:
            words = [process.cwd(), *process.cmdline()]
        except psutil.Error:
            continue
        if any(str(directory) in word for word in words):
            found.append(process)
    return found


@pytest.mark.parametrize("nodes", [1, 2])
def test_a_job_leaves_report_logs_and_the_evidence_of_a_run_on_this_machine(
    beside_slurm: Dlg, batch: Slurm, tmp_path: Path, nodes: int
) -> None:
    (tmp_path / "beside_the_graph.py").write_text("def six():\n    return 6\n")
    app = {**function_app("a", ""), "func_name": "beside_the_graph.six", "outputs": ["d"]}
    del app["func_code"]
    double = {**function_app("b", "def f(x):\n    return 7 * x", ["e"]), "inputs": ["d"]}
    graph = write(tmp_path, [app, graphs.data("d"), double, graphs.data("e")])
    done = beside_slurm(
        "create-job", graph, "-n", str(nodes), "-t", "5", "--name", "mine", "--submit",
        "-w", "jobs",
    )  # fmt: skip
    job = tmp_path / "jobs" / "mine"
    assert done.stdout == f"{job}\n", done.stderr
    state = batch.end_of(number_of(done.stderr))
    assert state == "COMPLETED", (job / "logs" / "job.log").read_text()
    assert report_of(job)["state"] == "FINISHED"
    logs = {path.name for path in (job / "logs").iterdir()}
    ranks = {f"node-{rank}.log" for rank in range(nodes)}
    assert {"job.log", "session.log", "master-0.log", "island-0.log", *ranks} <= logs
    assert not (job / "cluster.toml").exists()
    here = beside_slurm("run", graph, "--repro", "all", "--workdir", "here")
    assert here.returncode == 0, here.stderr
    (session,) = (tmp_path / "here").iterdir()
    same = beside_slurm("repro", "compare", str(job), str(session))
    assert same.returncode == 0, same.stdout + same.stderr


def test_a_graph_that_fails_is_a_job_that_fails(
    beside_slurm: Dlg, batch: Slurm, tmp_path: Path
) -> None:
    graph = write(tmp_path, made_of("def f():\n    raise ValueError('no such sky')"))
    done = beside_slurm("create-job", graph, "--name", "wrong", "--wait", "-w", "jobs")
    job = tmp_path / "jobs" / "wrong"
    assert done.returncode == 1, done.stderr
    assert report_of(job)["state"] == "FAILED"
    assert "no such sky" in (job / "logs" / "job.log").read_text()
    assert batch.state(number_of(done.stderr)) == "FAILED"
    told = beside_slurm("remote-submit", "-a", "analyse", str(job))
    assert told.returncode == 1
    assert "FAILED: 2 drops" in told.stdout
    assert "no such sky" in told.stdout


@pytest.mark.parametrize("gentle", [False, True], ids=["at_once", "gently"])
def test_a_cancelled_job_leaves_no_process(
    beside_slurm: Dlg, batch: Slurm, tmp_path: Path, gentle: bool
) -> None:
    begun = tmp_path / "begun"
    function = f"def f():\n    import pathlib, time\n    pathlib.Path({str(begun)!r}).touch()\n"
    graph = write(tmp_path, made_of(f"{function}    time.sleep(600)"))
    done = beside_slurm("create-job", graph, "--name", "long", "--submit", "-n", "2", "-w", "jobs")
    assert done.returncode == 0, done.stderr
    job_id = number_of(done.stderr)
    until(begun.exists, "the app has not begun", 120)
    batch.call("scancel", *(("--batch", "--signal=TERM") if gentle else ()), job_id)
    assert batch.end_of(job_id) == ("FAILED" if gentle else "CANCELLED")
    job = tmp_path / "jobs" / "long"
    until(lambda: not processes_of(job), "processes are left")
    assert not gentle or report_of(job)["state"] == "CANCELLED"


def test_a_template_of_ones_own_is_what_is_submitted(
    beside_slurm: Dlg, batch: Slurm, tmp_path: Path
) -> None:
    template = tmp_path / "mine.sh"
    template.write_text(
        "#!/bin/bash\n#SBATCH --nodes=@nodes@ --output=said --comment=@name@\n"
        "@directives@\necho made of a template\nexit 7\n"
    )
    graph = write(tmp_path, graphs.chain(1))
    done = beside_slurm(
        "create-job", graph, "--slurm-template", str(template), "--name", "own", "--wait",
        "-w", "jobs",
    )  # fmt: skip
    assert done.returncode == 7, done.stderr
    assert (tmp_path / "jobs" / "own" / "said").read_text() == "made of a template\n"


@pytest.mark.parametrize("text", ["n[1-3]", "n[008-011,7],login", "r[1-2]c[0-1]", "a,b,a1"])
def test_lists_of_hosts_mean_what_slurm_says(batch: Slurm, text: str) -> None:
    assert batch.call("scontrol", "show", "hostnames", text).split() == unfold(text)
