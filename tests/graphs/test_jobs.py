"""The jobs in graphs/jobs make the same products wherever they run.

In this process, on a cluster of two nodes, and with workers that have them from a database.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from dlg.jobs.reading import read_document
from dlg_engine.daemon.local_cluster import ClusterOptions, LocalCluster, port_of
from dlg_engine.tasks.job_products import products_of_job
from dlg_engine.tasks.job_submission import submit_job, wait_for_job
from dlg_engine.tasks.task_database import TaskDatabaseConnection
from tests.graphs.queue_workers import PATIENCE_S, working

HOME = Path(__file__).parents[2] / "graphs" / "jobs"
Products = Mapping[str, str]

TYPES = ("measure", "newton", "unreliable", "concatenate", "values")
SERVERS = ("postgresql", "mariadb")
"""Databases that are used with the queues of a broker."""

GRID = {
    f"grid/cell_{i}_{j}.txt": f"{(1.0, 1.5, 2.0)[i] * 10**j}\n" for i in range(3) for j in range(3)
}
GUESSES = ["2.0", "1.5", "1.4166666666666665", "1.4142156862745097", "1.4142135623746899"]
LAST = "1.414213562373095"
WANTED: Mapping[str, tuple[int, Products]] = {
    "chain.json": (0, {"chain/measured.txt": "3.0\n", "chain/doubled.txt": "3.0\n6.0\n"}),
    "nested_loops.json": (0, GRID),
    "conditional.json": (
        0,
        {
            "branches/class_0.txt": "-1\n", "branches/verdict_0.txt": "-1\n",
            "branches/class_1.txt": "1\n", "branches/verdict_1.txt": "1\n",
            "branches/bright_1.txt": "1\n", "branches/over_0.txt": "0\n",
            "branches/over_1.txt": "0\n",
        },
    ),
    "while_loop.json": (
        0,
        {
            **{f"root/guess_{n}.txt": f"{one}\n" for n, one in enumerate([*GUESSES, LAST])},
            "root/root.txt": f"{LAST}\n",
        },
    ),
    "gather.yaml": (
        0,
        {
            **{f"gather/flux_{n}.txt": f"{n * n}\n" for n in range(5)},
            "gather/all.txt": "0\n1\n4\n9\n16\n", "gather/mean.txt": "6.0\n",
        },
    ),
    "retry.json": (
        0,
        {
            "retry/at_last.txt": "3\n", "retry/copy.txt": "3\n",
            "retry/tries.txt": "tried\n" * 3,
        },
    ),
    "quality.json": (
        1,
        {
            "quality/good.txt": "1\n", "quality/bad.txt": "-1\n",
            "quality/from_good.txt": "1\n",
        },
    ),
}  # fmt: skip


def hashed(products: Products) -> dict[str, str]:
    return {path: hashlib.sha256(text.encode()).hexdigest() for path, text in products.items()}


def found_in(*places: Path) -> dict[str, str]:
    """Return the hashes of all products below the directories of a session, by their paths."""
    return {
        str(file.relative_to(place)): hashlib.sha256(file.read_bytes()).hexdigest()
        for place in places
        for file in place.rglob("*.txt")
        if file.relative_to(place).parts[0] != "replicas"  # copies of what another node has made
    }


def dlg(cwd: Path, *args: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "dlg_engine.cli", *args]
    return subprocess.run(
        command, capture_output=True, text=True, cwd=cwd, check=False, timeout=110
    )


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCluster]:
    place = tmp_path_factory.mktemp("cluster")
    options = ClusterOptions(nodes=2, workdir=place, port=0, cwd=place)
    with LocalCluster(options) as found:
        yield found


@pytest.fixture(
    scope="module",
    params=["sqlite", *(pytest.param(kind, marks=pytest.mark.services) for kind in SERVERS)],
)
def workers(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[TaskDatabaseConnection]:
    place = tmp_path_factory.mktemp("workers")
    with working(request.param, place, HOME, TYPES) as found:
        yield found


def test_every_job_is_tested() -> None:
    assert {file.name for file in HOME.iterdir() if file.suffix in (".json", ".yaml")} == set(
        WANTED
    )


@pytest.mark.parametrize("runner", ["threads", "processes"])
@pytest.mark.parametrize("job", WANTED)
def test_a_job_makes_its_products_here(job: str, runner: str, tmp_path: Path) -> None:
    code, products = WANTED[job]
    done = dlg(
        tmp_path, "run", str(HOME / job), "--runner", runner, "--report", "report.json", "-q"
    )
    assert done.returncode == code, done.stderr
    report = json.loads((tmp_path / "report.json").read_text())
    assert found_in(Path(report["session_dir"])) == hashed(products)


@pytest.mark.parametrize("job", WANTED)
def test_a_job_makes_the_same_products_on_two_nodes(
    job: str, cluster: LocalCluster, tmp_path: Path
) -> None:
    code, products = WANTED[job]
    port = str(port_of(cluster.master.url))
    session = f"job-{Path(job).stem}"
    done = dlg(
        tmp_path, "submit", str(HOME / job), "-H", "127.0.0.1", "-P", port, "-q",
        "--session", session,
    )  # fmt: skip
    assert done.returncode == code, done.stderr
    places = [one for one in cluster.options.workdir.rglob(session) if one.is_dir()]
    assert found_in(*places) == hashed(products)


@pytest.mark.parametrize("job", WANTED)
def test_a_job_makes_the_same_products_with_workers(
    job: str, workers: TaskDatabaseConnection
) -> None:
    code, products = WANTED[job]
    submitted = submit_job(workers, read_document(HOME / job), source=job)
    progress = wait_for_job(workers, submitted.job_id, PATIENCE_S)
    assert progress.state == ("failed" if code else "done"), progress
    found = {
        one.path: hashlib.sha256(one.file.read_bytes()).hexdigest()
        for one in products_of_job(workers, submitted.job_id)
    }
    assert found == hashed(products)


def test_what_depends_on_a_product_that_fails_quality_control_does_not_run(
    tmp_path: Path,
) -> None:
    done = dlg(tmp_path, "run", str(HOME / "quality.json"), "--report", "report.json", "-q")
    assert "QualityControlError: bad: quality control failed" in done.stderr
    report = json.loads((tmp_path / "report.json").read_text())
    assert not list(Path(report["session_dir"]).rglob("from_bad.txt"))


TWO_VERDICTS = {
    "task_list": [
        {
            "task": "values", "x": 1, "retries": 1,
            "outputs": {"good": "good.txt", "bad": "bad.txt"},
            "qc_criterion": {"bad": "(metadata['x'] > 1)", "good": "(metadata['x'] == 1)"},
        },
        {"task": "null", "inputs": {"x": "good.txt"}, "outputs": {"y": "from_good.txt"}},
        {"task": "null", "inputs": {"x": "bad.txt"}, "outputs": {"y": "from_bad.txt"}},
    ]
}  # fmt: skip


@pytest.mark.parametrize("runner", ["inline", "threads", "processes"])
def test_each_product_has_its_verdict_and_the_good_ones_are_used(
    runner: str, tmp_path: Path
) -> None:
    (tmp_path / "job.json").write_text(json.dumps(TWO_VERDICTS))
    done = dlg(tmp_path, "run", "job.json", "--runner", runner, "--report", "report.json", "-q")
    assert done.returncode == 1
    assert "quality control failed for bad: (metadata['x'] > 1)" in done.stderr
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["quality"] == {
        "file good.txt": True, "file bad.txt": False,
        "file from_good.txt": None, "file from_bad.txt": None,
    }  # fmt: skip
    made = {file.name for file in Path(report["session_dir"]).rglob("*.txt")}
    assert made == {"good.txt", "bad.txt", "from_good.txt"}


def test_a_loop_that_does_not_converge_fails_and_says_so(tmp_path: Path) -> None:
    text = (HOME / "while_loop.json").read_text()
    (tmp_path / "short.json").write_text(
        text.replace('"max_iterations": 12', '"max_iterations": 3')
    )
    done = dlg(tmp_path, "run", "short.json", "--path", str(HOME))
    assert done.returncode == 1
    assert "after 3 iterations it would still go on" in done.stdout + done.stderr
    assert not list(tmp_path.rglob("root.txt"))  # what gathers from the loop did not run


def test_a_job_that_is_wrong_is_refused_with_all_its_problems(tmp_path: Path) -> None:
    job = {
        "task_list": [
            {"task": "null", "value": "(open('x'))"},
            {"task": "null", "inputs": {"x": "../secret"}},
        ]
    }
    (tmp_path / "job.json").write_text(json.dumps(job))
    done = dlg(tmp_path, "run", "job.json")
    assert done.returncode == 2
    assert "/task_list/0/value: expression (open('x'))" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_type_of_tasks_that_nobody_knows_is_told_before_anything_runs(tmp_path: Path) -> None:
    (tmp_path / "job.json").write_text('{"task_list": [{"task": "nothing_known"}]}')
    done = dlg(tmp_path, "run", "job.json")
    assert done.returncode == 2
    assert "there is no module task_nothing_known" in done.stderr


def test_a_job_is_checked_without_running(tmp_path: Path) -> None:
    done = dlg(tmp_path, "check", str(HOME / "chain.json"))
    assert done.returncode == 0, done.stderr
    assert (
        "job, as a physical graph of 5 drops, 0 errors, 0 warnings; it can be run" in done.stdout
    )
    (tmp_path / "wrong.json").write_text('{"task_list": [{"task": "null", "wait_for": ["x"]}]}')
    done = dlg(tmp_path, "check", "wrong.json", "--json")
    assert done.returncode == 2
    (problem,) = json.loads(done.stdout)["problems"]
    assert (problem["pointer"], problem["code"]) == ("/task_list/0", "job")


def test_a_job_is_read_from_standard_input(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "dlg_engine.cli", "run", "-", "--workdir", str(tmp_path)]
    job = '{"task_list": [{"task": "null", "outputs": {"x": "made.txt"}}]}'
    done = subprocess.run(
        command, input=job, capture_output=True, text=True, cwd=tmp_path, check=False, timeout=110
    )
    assert done.returncode == 0, done.stderr
    assert len(list(tmp_path.rglob("made.txt"))) == 1


def test_results_that_cannot_be_kept_fail_their_task_only(tmp_path: Path) -> None:
    (tmp_path / "task_strange.py").write_text("def run(task):\n    return {'x': object()}\n")
    job = {
        "task_list": [
            {"task": "strange", "outputs": {"x": "a.txt"}},
            {"task": "null", "outputs": {"x": "b.txt"}},
        ]
    }
    (tmp_path / "job.json").write_text(json.dumps(job))
    done = dlg(tmp_path, "run", "job.json", "--workdir", str(tmp_path), "-q")
    assert done.returncode == 1
    assert "its results cannot be kept: object is no plain value" in done.stdout + done.stderr
    assert len(list(tmp_path.rglob("b.txt"))) == 1


def test_a_task_that_does_not_make_its_output_fails(tmp_path: Path) -> None:
    (tmp_path / "task_lazy.py").write_text("def run(task):\n    pass\n")
    (tmp_path / "job.json").write_text(
        '{"task_list": [{"task": "lazy", "outputs": {"x": "a.txt"}}]}'
    )
    done = dlg(tmp_path, "run", "job.json", "-q")
    assert done.returncode == 1
    assert "did not make its output 'x'" in done.stdout + done.stderr
