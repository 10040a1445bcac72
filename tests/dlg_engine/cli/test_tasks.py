"""`dlg tasks`: a database of tasks from the command line, as people and scripts use it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from dlg_engine.cli.tasks_common import Place
from dlg_engine.tasks.job_working import job_handlers
from dlg_engine.tasks.sql_queue import TaskQueueSQL
from dlg_engine.tasks.task_database import TaskDatabaseConnection
from dlg_engine.tasks.task_queues import TaskQueueConnector, TaskScheduler
from dlg_engine.tasks.working import TaskWorker
from tests.dlg_engine.cli.conftest import Dlg

JOB = {
    "job_name": "night",
    "working_directory": "out",
    "task_list": [
        {"task": "values", "name": "seen", "stars": 3, "outputs": {"list": "stars.txt"}},
        {"task": "concatenate", "inputs": {"list": "stars.txt"}, "outputs": {"copy": "copy.txt"}},
        {"task": "error", "message": "clouds", "outputs": {"image": "image.txt"}},
        {"task": "concatenate", "inputs": {"x": "image.txt"}, "outputs": {"y": "y.txt"}},
    ],
}
Tasks = Callable[..., Result]


@pytest.fixture
def job(tmp_path: Path) -> str:
    file = tmp_path / "night.json"
    file.write_text(json.dumps(JOB))
    return str(file)


@pytest.fixture
def tasks(dlg: Dlg, tmp_path: Path) -> Tasks:
    """Run a command on a database of this test."""

    def call(*arguments: str, code: int = 0) -> Result:
        where = ("--database", str(tmp_path / "tasks.db"), "--store", str(tmp_path / "store"))
        result = dlg("tasks", *arguments, *where)
        assert result.exit_code == code, result.output
        assert "Traceback" not in result.stderr
        return result

    return call


@pytest.fixture
def worked(tasks: Tasks, job: str, tmp_path: Path) -> Tasks:
    """The same, after the job was submitted and done as far as it can be."""
    tasks("init")
    tasks("submit", job)
    work_on(tmp_path)
    return tasks


def work_on(folder: Path) -> None:
    with (
        TaskDatabaseConnection(folder / "store", folder / "tasks.db") as database,
        TaskQueueSQL(database.database) as queue,
        TaskScheduler(tasks=database, queue=queue) as scheduler,
    ):
        scheduler.turn()
        worker = TaskWorker(database, queue, job_handlers(database))
        worker.run_until_empty()
        worker.close()


def told(result: Result) -> Any:
    return json.loads(result.stdout)


def test_commands_need_a_database_that_is_there(tasks: Tasks, job: str) -> None:
    result = tasks("submit", job, code=2)
    assert "make one with `dlg tasks init`" in result.stderr


@pytest.mark.parametrize(
    ("database", "why"),
    [
        ("", "is empty"),
        (".", "is a folder"),
        ("nosuch://x/y", "no databases of this kind"),
        ("mariadb://me:secret@host:abc/x", "...host:abc/x: its port is no number"),
    ],
)
def test_what_is_no_address_of_a_database_is_refused(dlg: Dlg, database: str, why: str) -> None:
    result = dlg("tasks", "list", "--database", database)
    assert (result.exit_code, why in result.stderr) == (2, True)


def test_a_database_of_something_else_is_left_alone(tasks: Tasks, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "tasks.db") as other:
        other.execute("create table sky (star)")
    assert "has no tables for tasks" in tasks("list", code=2).stderr
    with sqlite3.connect(tmp_path / "tasks.db") as other:
        assert other.execute("select name from sqlite_master").fetchall() == [("sky",)]


def test_a_database_of_something_else_is_not_restored_over(
    worked: Tasks, dlg: Dlg, tmp_path: Path
) -> None:
    worked("db", "dump", str(tmp_path / "dump.gz"))
    mine = str(tmp_path / "mine.db")
    with sqlite3.connect(mine) as found:
        found.execute("create table stars (name text)")
    refused = dlg("tasks", "db", "restore", str(tmp_path / "dump.gz"), "--database", mine)
    assert (refused.exit_code, "--replace" in refused.stderr) == (2, True)
    with sqlite3.connect(mine) as found:
        assert found.execute("select name from sqlite_master").fetchall() == [("stars",)]
    notes = tmp_path / "notes.txt"
    notes.write_text("clouds until midnight" * 100)
    refused = dlg("tasks", "db", "restore", str(tmp_path / "dump.gz"), "--database", str(notes))
    assert (refused.exit_code, notes.read_text()[:6]) == (2, "clouds")


def test_where_there_is_no_job_no_database_is_made(tasks: Tasks, tmp_path: Path) -> None:
    assert "No such file" in tasks("run", str(tmp_path / "none.yaml"), code=2).stderr
    assert not (tmp_path / "tasks.db").exists()


def test_init_makes_tables_once_and_says_where(tasks: Tasks, tmp_path: Path) -> None:
    first = told(tasks("init", "--json"))
    assert first["database"] == f"sqlite:///{tmp_path}/tasks.db"
    assert first["store"] == str(tmp_path / "store")
    assert told(tasks("init", "--json")) == first


def test_init_takes_a_registry_of_types(tasks: Tasks, tmp_path: Path) -> None:
    registry = tmp_path / "types.xml"
    registry.write_text(
        "<r><containers><container><name>base</name></container></containers>"
        "<tasks><task><name>search</name><container>base</container></task></tasks></r>"
    )
    found = told(tasks("init", "--types", str(registry), "--json"))
    assert (found["types"], found["containers"]) == (1, 1)


def test_init_replaces_only_when_told_to(worked: Tasks) -> None:
    worked("init")
    assert told(worked("list", "--json"))
    worked("init", "--replace")
    assert told(worked("list", "--json")) == []


def test_with_save_the_settings_name_the_database(
    dlg: Dlg, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DLG_ROOT", str(tmp_path / "root"))
    where = str(tmp_path / "mine.db")
    assert dlg("tasks", "init", "--database", where, "--save").exit_code == 0
    result = dlg("tasks", "init", "--json")
    assert told(result)["database"] == f"sqlite:///{where}"


def test_a_job_that_is_wrong_is_told_with_the_place(tasks: Tasks, tmp_path: Path) -> None:
    tasks("init")
    bad = tmp_path / "bad.yaml"
    bad.write_text("task_list: [{task: nobody-knows-this}]")
    result = tasks("submit", str(bad), code=2)
    assert "/task_list/0/task" in result.stderr
    assert told(tasks("list", "--json")) == []


def test_submit_says_what_it_has_put_there(tasks: Tasks, job: str) -> None:
    tasks("init")
    found = told(tasks("submit", job, "--json"))
    assert (found["job_id"], found["job_name"], found["tasks"]) == (1, "night", 4)


def test_what_can_be_done_is_in_the_queues_when_a_job_is_submitted(tasks: Tasks, job: str) -> None:
    tasks("init")
    tasks("submit", job)
    waiting = {one["queue"]: one["waiting"] for one in told(tasks("queue", "--json"))}
    assert (waiting["values"], waiting["error"], waiting["concatenate"]) == (1, 1, 0)


def test_a_job_is_submitted_though_its_broker_is_away(
    tasks: Tasks, job: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DLG_ROOT", str(tmp_path / "root"))
    TaskQueueConnector.make_task_queue_config("amqp", "me", "x", "127.0.0.1", 1)
    tasks("init")
    result = tasks("submit", job)
    assert "the broker at 127.0.0.1:1" in result.stderr
    assert "`dlg tasks schedule` will begin the job" in result.stderr
    assert result.stdout.startswith("job 1, night: 4 tasks")


def test_jobs_and_their_tasks_are_listed(worked: Tasks) -> None:
    (job,) = told(worked("list", "--json"))
    assert job["states"] == {"done": 3, "failed": 1, "blocked": 1}
    assert "night" in worked("list").stdout
    found = told(worked("list", "1", "--state", "done", "--type", "values", "--json"))
    assert [task["task_name"] for task in found] == ["seen"]
    assert [task["task_id"] for task in told(worked("list", "night", "--json"))] == [1, 2, 3, 4, 5]
    page = worked("list", "night", "--limit", "2")
    assert "--after 2 goes on" in page.stderr


def test_a_job_that_is_not_there_is_told(worked: Tasks) -> None:
    assert "there is no job 'day'" in worked("list", "day", code=2).stderr


def test_a_tree_shows_tasks_below_their_job(worked: Tasks) -> None:
    lines = worked("list", "--tree").stdout.splitlines()
    assert lines[0] == "1 execution_chain of night: done (4 below)"
    assert lines[1] == "  2 values seen: done"
    assert "nothing runs" in worked("list", "--running").stderr
    assert "leave out" in worked("list", "--tree", "--state", "done", code=2).stderr


def test_show_tells_all_of_a_task(worked: Tasks) -> None:
    failed = worked("show", "4").stdout
    assert ": failed, not judged" in failed
    assert "TaskFailedError: clouds" in failed
    made = worked("show", "2").stdout
    assert "list: out/stars.txt, passed" in made
    assert "stars: 3" in made
    assert told(worked("show", "3", "--json"))["inputs"]["list"]["filename"] == "stars.txt"
    assert "there is no task 99" in worked("show", "99", code=2).stderr


def test_progress_timings_and_errors_are_told(worked: Tasks) -> None:
    (values,) = [one for one in told(worked("progress", "--json")) if one["task_type"] == "values"]
    assert values["done"] == 1
    assert worked("progress", "--job", "night").stdout.splitlines()[-1].split() == [
        "all", "3", "1", "1", "5",
    ]  # fmt: skip
    assert told(worked("progress", "--follow", "--json"))
    timings = {one["task_type"]: one["count"] for one in told(worked("timings", "--json"))}
    assert timings == {"concatenate": 1, "error": 1, "values": 1}
    assert worked("timings", "--type", "values").stdout.startswith("type")
    (error,) = told(worked("errors", "--json"))
    assert error["message"].endswith("TaskFailedError: clouds")
    assert "once, last" in worked("errors").stdout
    assert "Traceback" in worked("errors", "--traceback", "--job", "1").stdout
    assert worked("errors", "--type", "values").stdout == "nothing has failed\n"


def test_failed_tasks_are_tried_again_by_number_job_or_type(worked: Tasks, tmp_path: Path) -> None:
    assert "it has not failed" in worked("retry", "2", code=2).stderr
    assert "name the tasks" in worked("retry", code=2).stderr
    assert worked("retry", "4").stdout == "1 task to be tried again\n"
    (row,) = [one for one in told(worked("queue", "--json")) if one["queue"] == "error"]
    assert (row["waiting"], row["dead"]) == (1, 0)
    work_on(tmp_path)
    assert told(worked("retry", "--job", "night", "--json")) == {"tasks": 1}
    work_on(tmp_path)
    assert told(worked("retry", "--all", "--json")) == {"tasks": 1}
    work_on(tmp_path)
    assert told(worked("queue", "--requeue", "error", "--json")) == {"tasks": 1}
    (blocked,) = told(worked("list", "night", "--type", "concatenate", "--after", "4", "--json"))
    assert blocked["state"] == "waiting"


def test_dead_letters_are_listed(worked: Tasks) -> None:
    (letter,) = told(worked("queue", "--dead", "--json"))
    assert (letter["task_id"], letter["task_type"]) == (4, "error")
    assert "clouds" in worked("queue", "--dead").stdout
    assert "one of" in worked("queue", "--dead", "--purge", "error", code=2).stderr


def test_what_is_purged_has_failed_and_can_be_tried_again(worked: Tasks, tmp_path: Path) -> None:
    worked("retry", "4")
    assert worked("queue", "--purge", "error").stdout == "1 task given up\n"
    (failed,) = told(worked("list", "--state", "failed", "--json"))
    assert failed["task_id"] == 4
    (blocked,) = told(worked("list", "--state", "blocked", "--json"))
    assert blocked["task_id"] == 5
    work_on(tmp_path)
    (letter,) = told(worked("queue", "--dead", "--json"))
    assert letter["message"] == "it was taken out of its queue"
    worked("retry", "4")
    assert "there is no type of tasks" in worked("queue", "--purge", "x", code=2).stderr


def test_products_that_passed_are_copied(worked: Tasks, tmp_path: Path) -> None:
    target = tmp_path / "results"
    assert worked("export", "night", str(target)).stdout.startswith("wrote 2 files")
    assert (target / "out/copy.txt").read_bytes() == b""
    assert "--force writes over" in worked("export", "1", str(target), code=2).stderr
    found = told(worked("export", "1", str(target), "--force", "--metadata",
                        "--semantic-type", "copy", "--json"))  # fmt: skip
    assert [one["file"] for one in found] == [str(target / "out/copy.txt")]
    facts = json.loads((target / "out/copy.txt.metadata.json").read_text())
    assert (facts["task"], facts["passed_qc"]) == (3, True)
    nothing = worked("export", "1", str(target), "--semantic-type", "image", code=2)
    assert "has no such products" in nothing.stderr


def test_a_product_that_was_damaged_is_not_exported(worked: Tasks, tmp_path: Path) -> None:
    for file in (tmp_path / "store").rglob("*.txt"):
        file.write_text("something else")
    target = tmp_path / "results"
    assert "not what was registered" in worked("export", "1", str(target), code=1).stderr
    assert not [file for file in target.rglob("*") if file.is_file()]


def test_a_product_that_is_not_in_the_store_is_told_with_the_store(
    worked: Tasks, tmp_path: Path
) -> None:
    for file in (tmp_path / "store").rglob("*.txt"):
        file.unlink()
    said = worked("export", "1", str(tmp_path / "results"), code=1).stderr
    assert f"is not in the store {tmp_path / 'store'}" in said
    assert "--store" in said


def test_a_database_is_dumped_and_restored(worked: Tasks, tmp_path: Path) -> None:
    before = worked("list", "night", "--json").stdout
    worked("db", "dump", str(tmp_path / "dump.gz"))
    assert "--replace" in worked("db", "restore", str(tmp_path / "dump.gz"), code=2).stderr
    (tmp_path / "tasks.db").unlink()
    worked("db", "restore", str(tmp_path / "dump.gz"))
    assert worked("list", "night", "--json").stdout == before
    (tmp_path / "no.gz").write_text("no dump")
    bad = worked("db", "restore", str(tmp_path / "no.gz"), "--replace", code=2)
    assert "cannot be read as a dump" in bad.stderr
    assert worked("list", "night", "--json").stdout == before


@pytest.mark.parametrize(
    ("place", "options"),
    [
        (Place(None, None), ""),
        (Place("my tasks.db", Path("st")), " --database 'my tasks.db' --store st"),
        (Place("mariadb://me:secret@db/x", None), " --database 'mariadb://me:***@db/x'"),
    ],
)
def test_commands_that_are_advised_name_the_same_database_without_its_password(
    place: Place, options: str
) -> None:
    assert place.all_options == options
