"""Jobs in the database of tasks: whole or not at all, growing once, going on after failures."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from dlg.apps import job_types
from dlg.apps.job_types import JobTask
from dlg.jobs.errors import InvalidJobError
from dlg_engine.tasks import job_growth, schema
from dlg_engine.tasks.errors import EntryExistsError, NoSuchEntryError, TaskSystemError
from dlg_engine.tasks.job_growth import JobGrowth
from dlg_engine.tasks.job_products import products_of_job
from dlg_engine.tasks.job_registering import PLAN, RESERVED
from dlg_engine.tasks.job_submission import (
    JobProgress,
    SubmittedJob,
    job_progress,
    reopen_job,
    submit_job,
    wait_for_job,
)
from dlg_engine.tasks.job_working import job_handlers, results_of
from dlg_engine.tasks.records import write_metadata
from dlg_engine.tasks.sql_queue import TaskQueueSQL
from dlg_engine.tasks.task_database import TaskDatabaseConnection
from dlg_engine.tasks.task_queues import TaskScheduler
from dlg_engine.tasks.working import TaskWorker

Tasks = TaskDatabaseConnection
CHAIN: dict[str, Any] = {
    "job_name": "two",
    "working_directory": "here",
    "task_list": [
        {"task": "values", "name": "first", "x": 3, "outputs": {"file": "a.txt"}},
        {
            "task": "values", "name": "second", "requires_metadata_from": ["first"],
            "y": "(requested_metadata['first']['x'] + 1)", "inputs": {"file": "a.txt"},
            "outputs": {"file": "deep/b.txt"},
        },
    ],
}  # fmt: skip
HALVED: dict[str, Any] = {
    "task_list": [
        {
            "task": "execution_do_while_loop", "name": "loop", "iteration_name": "i",
            "requires_metadata_from_child": ["half"], "max_iterations": 8,
            "repeat_criterion": "(requested_metadata['half']['x'] > 0.2)",
            "task_list": [
                {"task": "values", "name": "half", "x": "(1 / 2 ** metadata['i_index'])"},
            ],
        },
        {
            "task": "values", "name": "all", "requires_metadata_from": ["loop"],
            "xs": "([each['x'] for each in requested_metadata['loop']])",
        },
    ],
}  # fmt: skip


WIDE: dict[str, Any] = {
    "task_list": [
        {
            "task": "execution_for_loop", "parameter": "n", "values": list(range(60)),
            "task_list": [{"task": "null", "outputs": {"x": "'x_{n}'.format(**metadata)"}}],
        }
    ]
}  # fmt: skip
"""So many rows that some databases get them in another way."""


class Plant:
    """A scheduler and a worker of a database, in this thread."""

    def __init__(self, tasks: Tasks) -> None:
        self.tasks = tasks
        self.queue = TaskQueueSQL(tasks.database)
        self.scheduler = TaskScheduler(tasks=tasks, queue=self.queue)
        self.worker = TaskWorker(tasks, self.queue, job_handlers(tasks))

    def close(self) -> None:
        self.worker.close()
        self.scheduler.close()
        self.queue.close()

    def work(self, job: SubmittedJob) -> JobProgress:
        """Do all there is to do."""
        while self.scheduler.turn() + self.worker.run_until_empty():
            pass
        return job_progress(self.tasks, job.job_id)

    def named(self, job: SubmittedJob, name: str) -> Any:
        table = schema.task
        query = select(table).where(table.c.parent_id == job.job_id, table.c.task_name == name)
        with self.tasks.database.reading() as session:
            return session.execute(query).one()

    def told(self, job: SubmittedJob, name: str) -> Mapping[str, Any]:
        number = self.named(job, name).id
        with self.tasks.database.reading() as session:
            return results_of(session, [number])[number]


@pytest.fixture
def plant(tasks: Tasks) -> Iterator[Plant]:
    made = Plant(tasks)
    yield made
    made.close()


@pytest.fixture
def small(lite: Tasks) -> Iterator[Plant]:
    """Give the same on SQLite, where another database would do no more."""
    made = Plant(lite)
    yield made
    made.close()


def count(tasks: Tasks) -> int:
    with tasks.database.reading() as session:
        return session.scalar(select(func.count()).select_from(schema.task)) or 0


def test_a_job_is_done_by_workers(plant: Plant) -> None:
    job = submit_job(plant.tasks, CHAIN)
    assert (job.tasks, job.undecided, job.job_name) == (2, 0, "two")
    assert job_progress(plant.tasks, job.job_id).state == "active"
    assert plant.work(job) == JobProgress(job.job_id, {"done": 2})
    assert plant.told(job, "second") == {"y": 4}
    assert [one.path for one in products_of_job(plant.tasks, job.job_id)] == [
        "here/a.txt", "here/deep/b.txt",
    ]  # fmt: skip


def test_each_job_has_files_of_its_own_and_can_be_submitted_again(small: Plant) -> None:
    first, second = (submit_job(small.tasks, CHAIN) for _ in range(2))
    assert first.namespace != second.namespace
    small.work(first)
    made = [{one.file for one in products_of_job(small.tasks, n)} for n in (1, second.job_id)]
    assert len(made[0]) == len(made[1]) == 2
    assert not made[0] & made[1]


def test_in_a_namespace_a_file_is_made_once_and_nothing_of_a_second_job_stays(
    tasks: Tasks,
) -> None:
    submit_job(tasks, WIDE, namespace="survey")
    before = count(tasks)
    with pytest.raises(EntryExistsError, match="another job has it"):
        submit_job(tasks, WIDE, namespace="survey")
    assert count(tasks) == before
    assert submit_job(tasks, WIDE).tasks == 60


@pytest.mark.parametrize(
    ("job", "message"),
    [
        ({"task_list": [{"task": "null", "wait_for": ["nobody"]}]}, "no entry 'nobody'"),
        ({"task_list": [{"task": "values", "x": "(open('x'))"}]}, "/task_list/0/x"),
        ({"task_list": [{"task": "unheard_of"}]}, "nobody knows tasks of type 'unheard_of'"),
        ({"task_list": [{"task": "null", "outputs": {"x": "a"}}] * 2}, "is made already"),
        ({"metadata": {PLAN: 1}, "task_list": [{"task": "null"}]}, "the database has itself"),
        ({"task_list": [{"task": "null", "outputs": {"x" * 300: "a"}}]}, "up to 240"),
        ({"job_name": "x" * 300, "task_list": [{"task": "null", "job_name": "a"}]}, "up to 240"),
        ({"job_name": "a\0b", "task_list": [{"task": "null"}]}, "has a NUL"),
        (
            {"working_directory": "/".join(["d" * 90] * 6), "task_list": [
                {"task": "null", "outputs": {"x": "a"}}]},
            "a directory has up to 512",
        ),
        (
            {"task_list": [
                {"task": "null", "name": "a", "outputs": {"x": "a"}},
                {"task": "null", "inputs": {"x": {"gather": "a", "output": "x"}, "x[0]": "a"}},
            ]},
            "is what one of a list is called",
        ),
    ],
)  # fmt: skip
def test_a_job_that_is_wrong_leaves_nothing(lite: Tasks, job: Any, message: str) -> None:
    with pytest.raises(InvalidJobError, match=message):
        submit_job(lite, job)
    assert count(lite) == 0


@pytest.mark.parametrize("namespace", ["../x", "x" * 65, "a\0"])
def test_a_namespace_that_cannot_be_kept_is_refused(lite: Tasks, namespace: str) -> None:
    with pytest.raises(TaskSystemError, match="namespace"):
        submit_job(lite, WIDE, namespace=namespace)
    assert count(lite) == 0


def test_what_is_no_document_is_refused(lite: Tasks) -> None:
    with pytest.raises(InvalidJobError):
        submit_job(lite, ["null"])


def test_an_error_in_the_middle_leaves_nothing(
    lite: Tasks, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("dlg_engine.tasks.job_registering.metadata_rows", broken)
    with pytest.raises(MemoryError):
        submit_job(lite, CHAIN)
    assert count(lite) == 0


def test_types_that_the_database_knows_need_no_module_where_a_job_is_submitted(
    lite: Tasks,
) -> None:
    assert submit_job(lite, {"task_list": [{"task": "search"}]}).tasks == 1


def test_a_loop_grows_by_what_it_finds(plant: Plant) -> None:
    job = submit_job(plant.tasks, HALVED)
    assert (job.tasks, job.undecided) == (2, 15)
    assert plant.work(job) == JobProgress(job.job_id, {"done": 8})
    assert plant.told(job, "all")["xs"] == [0.5, 0.25, 0.125]


def test_a_loop_that_does_not_end_fails_and_blocks_who_waits_for_it(small: Plant) -> None:
    loop = {**HALVED["task_list"][0], "repeat_criterion": "(requested_metadata['half']['x'] > 0)"}
    after = {"task": "null", "name": "after", "wait_for": ["loop"]}
    job = submit_job(small.tasks, {"task_list": [loop, after]})
    assert small.work(job).states == {"done": 15, "failed": 1, "blocked": 2}
    assert small.named(job, "after").state == "blocked"


def test_a_decision_is_taken_once_whoever_takes_it_again(plant: Plant) -> None:
    job = submit_job(plant.tasks, HALVED)
    assert JobGrowth(plant.tasks).decide(job.job_id, 1, taken=True)
    after = count(plant.tasks)
    again = JobGrowth(plant.tasks)
    assert again.decide(job.job_id, 1, taken=False)  # what was decided first holds
    assert again.decide(job.job_id, 1, taken=True)
    assert count(plant.tasks) == after


def test_of_many_who_decide_the_same_at_once_one_lets_the_job_grow(tasks: Tasks) -> None:
    job = submit_job(tasks, HALVED)
    before, failures = count(tasks), []
    together = threading.Barrier(4)

    def decide() -> None:
        with Tasks(tasks.file_store_path, str(tasks.database.engine.url)) as own:
            growth = JobGrowth(own)
            together.wait(60)
            if not growth.decide(job.job_id, 1, taken=True):
                failures.append(job)

    threads = [threading.Thread(target=decide) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not failures
    assert count(tasks) == before + 2


def test_a_worker_that_dies_in_a_decision_has_changed_nothing(
    small: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = submit_job(small.tasks, HALVED)
    before, growth = count(small.tasks), JobGrowth(small.tasks)
    with monkeypatch.context() as patched:

        def dies(*_: object) -> None:
            raise KeyboardInterrupt

        patched.setattr(job_growth, "register_steps", dies)
        with pytest.raises(KeyboardInterrupt):
            growth.decide(job.job_id, 1, taken=True)
    assert count(small.tasks) == before
    assert not growth.decide(job.job_id, 1, taken=False)
    assert small.named(job, "all").state == "waiting"


def test_a_job_that_another_release_planned_differently_does_not_grow(small: Plant) -> None:
    job = submit_job(small.tasks, HALVED)
    with small.tasks.transaction() as session:
        write_metadata(session, "task", job.job_id, {PLAN: "another"})
    with pytest.raises(TaskSystemError, match="plans it differently"):
        JobGrowth(small.tasks).decide(job.job_id, 1, taken=True)


def test_a_failure_blocks_what_is_behind_it_until_the_job_is_reopened(
    plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = submit_job(
        plant.tasks,
        {
            "task_list": [
                {"task": "error", "name": "bad", "outputs": {"x": "x"}},
                {"task": "concatenate", "name": "after", "inputs": {"x": "x"}},
                {"task": "null", "name": "beside"},
            ]
        },
    )
    progress = plant.work(job)
    assert progress.states == {"failed": 1, "blocked": 1, "done": 1}
    assert (progress.state, progress.is_over) == ("failed", True)
    mended = {**job_types.OURS, "error": job_types.OURS["null"]}
    monkeypatch.setattr(job_types, "OURS", mended)
    assert reopen_job(plant.tasks, job.job_id) == 1
    assert job_progress(plant.tasks, job.job_id).state == "active"
    assert plant.work(job).states == {"done": 3}


def test_each_product_has_its_verdict_and_the_good_ones_are_used(plant: Plant) -> None:
    job = submit_job(
        plant.tasks,
        {
            "task_list": [
                {
                    "task": "values", "name": "two", "x": 1,
                    "outputs": {"good": "good", "bad": "bad"},
                    "qc_criterion": {"bad": "(metadata['x'] > 1)", "good": "(metadata['x'] == 1)"},
                },
                {"task": "null", "name": "uses good", "inputs": {"x": "good"}},
                {"task": "null", "name": "uses bad", "inputs": {"x": "bad"}},
            ]
        },
    )  # fmt: skip
    assert plant.work(job).states == {"failed": 1, "done": 1, "blocked": 1}
    assert plant.named(job, "uses bad").state == "blocked"
    found = {one.path: one.passed_qc for one in products_of_job(plant.tasks, job.job_id)}
    assert found == {"good": True, "bad": False}
    (attempt,) = plant.tasks.task_fetch_execution_attempts(plant.named(job, "two").id).values()
    assert attempt.state == "rejected"
    assert "quality control failed for bad: (metadata['x'] > 1)" in str(attempt.error_text)


def test_a_task_without_products_can_fail_quality_control_too(small: Plant) -> None:
    bad = {"task": "values", "x": 1, "qc_criterion": "(metadata['x'] > 1)"}
    job = submit_job(small.tasks, {"task_list": [bad]})
    assert small.work(job).states == {"failed": 1}


def test_a_task_is_told_which_try_it_is(small: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails_twice(task: JobTask) -> dict[str, int]:
        if task.attempt < 3:
            raise OSError
        return {"attempt": task.attempt}

    monkeypatch.setattr(job_types, "OURS", {**job_types.OURS, "null": fails_twice})
    job = submit_job(small.tasks, {"task_list": [{"task": "null", "name": "n", "retries": 2}]})
    assert small.work(job).states == {"done": 1}
    assert small.told(job, "n") == {"attempt": 3}


def test_loops_have_their_values_as_metadata_of_the_tasks(small: Plant) -> None:
    inner = {"task": "null", "name": "one"}
    loop = {
        "task": "execution_for_loop",
        "parameter": "size",
        "values": [2.5],
        "task_list": [inner],
    }
    job = submit_job(small.tasks, {"task_list": [loop]})
    task = small.tasks.task_lookup(small.named(job, "one").id)
    assert task is not None
    values = {key: item.value for key, item in task.metadata.items() if key not in RESERVED}
    assert values == {"size": 2.5, "size_index": 0}


def test_results_that_have_names_of_ours_are_refused(
    small: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd = {**job_types.OURS, "null": lambda _task: {PLAN: 1}}
    monkeypatch.setattr(job_types, "OURS", odd)
    job = submit_job(small.tasks, {"task_list": [{"task": "null"}]})
    assert small.work(job).states == {"failed": 1}


def test_a_file_of_the_store_that_was_changed_is_not_used(small: Plant) -> None:
    job = submit_job(small.tasks, CHAIN)
    small.scheduler.turn()
    assert small.worker.do_one()
    (made,) = products_of_job(small.tasks, job.job_id)
    made.file.write_text("something else")
    assert small.work(job).states == {"done": 1, "failed": 1}


def test_who_waits_for_a_job_is_told_when_it_is_over(small: Plant) -> None:
    job = submit_job(small.tasks, CHAIN)
    assert wait_for_job(small.tasks, job.job_id, 0).state == "active"
    small.work(job)
    assert wait_for_job(small.tasks, job.job_id, 60).state == "done"


def test_an_unknown_job_is_an_error(small: Plant) -> None:
    number = small.tasks.task_register(task_type="null")
    for wrong in (number, 4711):
        with pytest.raises(NoSuchEntryError, match="job"):
            job_progress(small.tasks, wrong)


def test_a_task_that_is_part_of_no_job_fails_as_such(small: Plant) -> None:
    number = small.tasks.task_register(task_type="null")
    small.scheduler.turn()
    small.worker.run_until_empty()
    (attempt,) = small.tasks.task_fetch_execution_attempts(number).values()
    assert "it is part of no job" in str(attempt.error_text)


def test_a_worker_for_types_without_a_module_is_refused(lite: Tasks) -> None:
    with pytest.raises(job_types.UnknownTaskTypeError):
        job_handlers(lite, ["unheard_of"])
    assert "execution_join" in job_handlers(lite, ["null"])


def test_dumps_have_jobs_that_can_go_on(lite: Tasks, tmp_path: Path) -> None:
    from dlg_engine.tasks.connect_db import DatabaseInterfaceSqlite

    job = submit_job(lite, HALVED)
    with DatabaseInterfaceSqlite(str(tmp_path / "tasks.db")) as interface:
        interface.dump(tmp_path / "dump.gz")
    with DatabaseInterfaceSqlite(str(tmp_path / "other.db"), connect=False) as interface:
        interface.restore(tmp_path / "dump.gz")
    with Tasks(tmp_path / "store", tmp_path / "other.db") as restored:
        plant = Plant(restored)
        assert plant.work(job).states == {"done": 8}
        plant.close()


def test_handlers_are_those_of_the_modules_there_are(lite: Tasks) -> None:
    found = job_handlers(lite)
    assert {"null", "values", "execution_join"} <= found.keys()
    assert "search" not in found  # the database knows it, but nobody here


def test_plans_of_few_jobs_are_kept(small: Plant) -> None:
    jobs = [submit_job(small.tasks, HALVED) for _ in range(job_growth.MOST_PLANS + 2)]
    growth = JobGrowth(small.tasks)
    for job in jobs:
        growth.decide(job.job_id, 1, taken=False)
    assert len(growth._grown) == job_growth.MOST_PLANS
    with small.tasks.database.reading() as session:
        query = select(func.count()).where(schema.job_step.c.outcome.is_(False))
        assert session.scalar(query) == len(jobs)
