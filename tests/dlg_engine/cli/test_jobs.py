"""`dlg create-job`, `dlg remote-submit`, `dlg config`: what they make and what they refuse."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dlg.testing import graphs
from dlg_engine.launch.analysing import analyse
from tests.dlg_engine.cli.conftest import Dlg, Write

TUTORIAL = str(Path(__file__).parents[3] / "graphs" / "tutorial" / "tutorial.graph")


@pytest.fixture(autouse=True)
def own_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DLG_CONFIG_DIR", str(tmp_path / "config"))


def job_of(tmp_path: Path, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((tmp_path / "dlg-jobs" / name / "job.json").read_text())
    return found


def test_a_job_is_made_and_how_to_submit_it_is_told(dlg: Dlg, tmp_path: Path) -> None:
    result = dlg("create-job", TUTORIAL, "-n", "4", "-s", "2", "-t", "30", "--name", "night")
    assert result.exit_code == 0, result.output
    assert result.stdout == f"{tmp_path / 'dlg-jobs' / 'night'}\n"
    assert "cd dlg-jobs/night && sbatch --parsable job.sh" in result.stderr
    script = (tmp_path / "dlg-jobs" / "night" / "job.sh").read_text()
    assert "#SBATCH --nodes=4\n" in script
    assert "#SBATCH --time=30\n" in script
    assert job_of(tmp_path, "night")["islands"] == 2
    assert (tmp_path / "dlg-jobs" / "night" / "code" / "radio_sky.py").exists()


def test_options_of_the_existing_system_mean_what_they_mean_there(
    dlg: Dlg, tmp_path: Path
) -> None:
    result = dlg(
        "create-job", "-L", TUTORIAL, "-f", "local", "--num_nodes", "2", "-A", "sarkar",
        "-O", "max_cpu=2,max_mem=4", "-T", "3", "-z", "-y", "-p", "-m", "outside", "-o", "30000",
        "--name", "old", "--set", "Scatter.num_of_copies=2",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    job = job_of(tmp_path, "old")
    assert job["submitting"] == [
        "--repro", "all", "--algorithm", "sarkar", "-A", "max_cpu=2", "-A", "max_mem=4",
    ]  # fmt: skip
    assert job["unrolling"] == ["--zerorun", "--app", "2", "--set", "Scatter.num_of_copies=2"]
    assert job["proxy"] == ["-m", "outside", "-o", "30000"]
    assert (job["nodes"], job["threads"]) == (2, 3)


@pytest.mark.parametrize(
    ("args", "told"),
    [
        ((), "name one graph"),
        ((TUTORIAL, "-P", TUTORIAL), "name one graph"),
        ((TUTORIAL, "-s", "2"), "at least one node each"),
        ((TUTORIAL, "--apart"), "at least one node each"),
        ((TUTORIAL, "-f", "slrum"), "did you mean 'slurm'"),
        ((TUTORIAL, "-m", "outside"), "are for --run-proxy"),
        ((TUTORIAL, "-p"), "needs --monitor-host"),
        ((TUTORIAL, "-O", "three"), "not written as name=value"),
        ((TUTORIAL, "--name", "a/b"), "cannot be the name of a job"),
        (("-P", TUTORIAL, "-z"), "are for logical graphs"),
    ],
)
def test_what_could_not_be_run_is_refused_before_anything_is_made(
    dlg: Dlg, tmp_path: Path, args: tuple[str, ...], told: str
) -> None:
    result = dlg("create-job", *args)
    assert result.exit_code == 2
    assert told in result.stderr
    assert not (tmp_path / "dlg-jobs").exists()


def test_a_graph_that_cannot_be_run_is_refused_before_it_waits_in_a_queue(
    dlg: Dlg, write: Write, tmp_path: Path
) -> None:
    specs = graphs.chain(2)
    specs[1] = {**specs[1], "inputs": ["nobody"]}
    result = dlg("create-job", write("wrong.json", specs))
    assert result.exit_code == 2
    assert "nobody" in result.stderr
    assert not (tmp_path / "dlg-jobs").exists()


def test_a_node_manager_runs_as_many_apps_as_it_has_processors(dlg: Dlg, tmp_path: Path) -> None:
    assert dlg("create-job", TUTORIAL, "-c", "6", "--name", "six").exit_code == 0
    assert job_of(tmp_path, "six")["threads"] == 6
    script = (tmp_path / "dlg-jobs" / "six" / "job.sh").read_text()
    assert "#SBATCH --cpus-per-task=6\n" in script


def test_a_batch_system_that_is_not_there_is_told(
    dlg: Dlg, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/bin")
    graph = write("g.json", graphs.chain(1))
    result = dlg("create-job", graph, "-f", "pbs", "--submit")
    assert result.exit_code == 1
    assert "qsub did not take the job" in result.stderr


def test_a_facility_is_described_shown_and_listed(dlg: Dlg, tmp_path: Path) -> None:
    assert dlg("config", "set", "ours", "like=slurm", "partition=work").exit_code == 0
    assert "ours" in dlg("config", "list").stdout
    assert dlg("config", "-l").stdout == dlg("config", "list").stdout
    shown = json.loads(dlg("config", "show", "ours", "--json").stdout)
    assert (shown["scheduler"], shown["partition"]) == ("slurm", "work")
    assert "partition       work\n" in dlg("config", "show", "ours").stdout
    result = dlg("create-job", TUTORIAL, "-f", "ours", "--name", "there")
    assert result.exit_code == 0, result.output
    script = (tmp_path / "dlg-jobs" / "there" / "job.sh").read_text()
    assert "#SBATCH --partition=work\n" in script


def test_a_wrong_description_changes_nothing(dlg: Dlg, tmp_path: Path) -> None:
    assert dlg("config", "set", "ours", "like=pbs").exit_code == 0
    result = dlg("config", "set", "ours", "nodes=0")
    assert result.exit_code == 2
    assert "nodes is a number from 1" in result.stderr
    assert (tmp_path / "config" / "facilities.toml").read_text() == '[ours]\nlike = "pbs"\n'


def test_facilities_of_a_colleague_are_taken_in_once(dlg: Dlg, tmp_path: Path) -> None:
    theirs = tmp_path / "theirs.toml"
    theirs.write_text('[big]\nlike = "lsf"\n[small]\nlike = "big"\nnodes = 2\n')
    assert dlg("config", "import", str(theirs)).stdout == "big\nsmall\n"
    again = dlg("config", "import", str(theirs))
    assert again.exit_code == 2
    assert "--replace" in again.stderr
    assert dlg("config", "import", str(theirs), "--replace").exit_code == 0
    assert json.loads(dlg("config", "show", "small", "--json").stdout)["scheduler"] == "lsf"


def test_facilities_that_cannot_be_read_beside_those_of_here_are_not_taken_in(
    dlg: Dlg, tmp_path: Path
) -> None:
    assert dlg("config", "set", "ours", "nodes=2").exit_code == 0
    theirs = tmp_path / "theirs.toml"
    theirs.write_text('[base]\nnodes = 3\n[ours]\nlike = "base"\n')
    result = dlg("config", "import", str(theirs), "--replace")
    assert result.exit_code == 2
    assert "like 'base', which nothing above describes" in result.stderr
    assert json.loads(dlg("config", "show", "ours", "--json").stdout)["nodes"] == 2


def test_a_file_to_begin_with_is_made_once(dlg: Dlg) -> None:
    assert dlg("config", "--setup").exit_code == 0
    assert dlg("config", "list").exit_code == 0
    assert dlg("config", "--setup").exit_code == 2


def test_what_logs_complain_of_is_counted(dlg: Dlg, tmp_path: Path) -> None:
    assert dlg("create-job", TUTORIAL, "--name", "night").exit_code == 0
    job = tmp_path / "dlg-jobs" / "night"
    (job / "logs" / "node-0.log").write_text(
        "2026-01-01 10:00:00,000 INFO    a: well\n2026-01-01 10:00:00,000 WARNING a: hm\n"
        "Traceback (most recent call last):\n  File x\ndlg: no\n"
    )
    assert dict(analyse(job).logs[0].counts) == {"WARNING": 1, "traceback": 1, "ERROR": 1}
    result = dlg("remote-submit", "-a", "analyse", str(job))
    assert result.exit_code == 1
    assert "no report: it runs still" in result.stdout
    assert "node-0.log: a: hm" in result.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("launcher", "told"),
    [
        ("false {rank}", "ranks ended early, with code 1: see logs/ranks-0.log"),
        ("nosuchlauncher", "ranks cannot be started by nosuchlauncher"),
        ("srun {colour}", "cannot be used"),
    ],
)
def test_ranks_that_do_not_start_are_told_in_the_log_of_the_job(
    dlg: Dlg, write: Write, tmp_path: Path, launcher: str, told: str
) -> None:
    assert dlg("config", "set", "bad", "like=local", f"launcher={launcher}").exit_code == 0
    graph = write("g.json", graphs.chain(1))
    result = dlg("create-job", graph, "-f", "bad", "--submit", "--name", "none")
    assert result.exit_code in {1, 2}
    assert "see dlg-jobs/none/logs/job.log" in result.stderr
    job = tmp_path / "dlg-jobs" / "none"
    assert told in (job / "logs" / "job.log").read_text()
    assert not (job / "cluster.toml").exists()


@pytest.mark.long
def test_a_job_without_a_batch_system_runs_on_this_machine_and_ends_as_its_graph_does(
    dlg: Dlg, tmp_path: Path
) -> None:
    result = dlg(
        "create-job", TUTORIAL, "-f", "local", "-n", "4", "-s", "2", "--apart", "-z", "--submit",
        "--name", "here", "--ranks-per-node", "2",
    )  # fmt: skip
    job = tmp_path / "dlg-jobs" / "here"
    assert result.exit_code == 0, result.output + (job / "logs" / "job.log").read_text()
    report = json.loads((job / "report.json").read_text())
    assert report["state"] == "FINISHED"
    islands = {path.name for path in (job / "logs").glob("island-*.log")}
    assert islands == {"island-1.log", "island-2.log"}
    nodes = {path.name for path in (job / "logs").glob("node-*.log")}
    assert nodes == {f"node-{k}.log" for k in range(3, 8)}
