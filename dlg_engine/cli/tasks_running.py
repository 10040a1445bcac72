"""`dlg tasks run`, `submit`, `schedule` and `work`: jobs, and the processes that do them."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import click

from dlg.exceptions import RunError
from dlg.jobs.reading import read_document
from dlg.support import clock
from dlg.support.examples import ExampleCommand
from dlg.support.interrupts import heeding_termination
from dlg_engine.cli.group import HELP, INTERRUPTED
from dlg_engine.cli.loading import add_code_directories, add_user_code
from dlg_engine.cli.progress import LiveProgress
from dlg_engine.cli.tasks_common import AS_JSON, QUEUE, Place, on_database, print_json, queue_of
from dlg_engine.cli.tasks_reports import Far, progress_lines, task_line
from dlg_engine.tasks.diagnostics.errors_list import fetch_errors
from dlg_engine.tasks.diagnostics.progress_summary import (
    TaskTypeProgress,
    fetch_progress_summary,
    joined,
)
from dlg_engine.tasks.ending import Abandoned, Ending, heeding
from dlg_engine.tasks.errors import QueueUnavailableError
from dlg_engine.tasks.job_submission import SubmittedJob, submit_job
from dlg_engine.tasks.task_database import TaskDatabaseConnection
from dlg_engine.tasks.task_queues import TaskScheduler
from dlg_engine.tasks.worker_pool import WorkerPool
from dlg_engine.tasks.worker_process import WorkPlan, run_scheduler

LOOK_S = 0.5
"""How often one counts how far tasks are, to show it."""
PLAIN_EVERY_S = 5.0
"""How often that is printed where there is no terminal."""
MOST_ERRORS = 3
SUBMIT_EXAMPLES = """
Examples:
  dlg tasks submit job.yaml
  dlg tasks submit job.yaml --namespace "run 2" --json
"""
WORK_EXAMPLES = """
Examples:
  dlg tasks work -n 8 --scheduler          all that one host needs
  dlg tasks work --type search -n 2        only tasks of this type
  dlg tasks work --until-idle              until nothing is queued or runs
"""
SCHEDULE_EXAMPLES = """
Examples:
  dlg tasks schedule --database postgresql://me@db/tasks
"""
RUN_EXAMPLES = """
Examples:
  dlg tasks run job.yaml                              in the database of the settings
  dlg tasks run job.yaml --database here.db -n 4
"""
JOB_FILE = click.argument("file", type=click.Path(dir_okay=False, path_type=Path), metavar="JOB")
CODE = click.option(
    "--code", multiple=True, type=click.Path(exists=True, file_okay=False), metavar="DIR",
    help="Where modules task_X are that do tasks of a type X; again for more.",
)  # fmt: skip
WORKERS = click.option(
    "-n", "--workers", type=click.IntRange(1, 1000), metavar="N",
    help="How many workers; by default one for each core.",
)  # fmt: skip
ISOLATE = click.option(
    "--isolate", is_flag=True,
    help="Do each task in an interpreter of its own: slower, but a crash is the task's alone.",
)  # fmt: skip
NAMESPACE = click.option(
    "--namespace", metavar="NAME",
    help="Where the names of its files are unique; by default one of its own.",
)  # fmt: skip


class JobFailedError(RunError):
    """Tasks of a job have failed, or cannot be done."""


@click.command(cls=ExampleCommand, epilog=SUBMIT_EXAMPLES, context_settings=HELP)
@JOB_FILE
@on_database
@QUEUE
@CODE
@NAMESPACE
@AS_JSON
def submit(
    *,
    file: Path,
    place: Place,
    queue: str | None,
    code: Sequence[str],
    namespace: str | None,
    as_json: bool,
) -> None:
    """Put a JOB, JSON or YAML, into the database; `dlg tasks work` does what it says.

    What can be done at once is put into the queues; a scheduler does so too.
    """
    with place.open() as tasks:
        job = _submitted(tasks, file, code, namespace)
        _begin(tasks, queue)
    if as_json:
        print_json(job)
        return
    more = f", and up to {job.undecided:,} more that results decide" if job.undecided else ""
    click.echo(f"job {job.job_id}, {job.job_name or 'without a name'}: {job.tasks:,} tasks{more}")


def _begin(tasks: TaskDatabaseConnection, queue: str | None) -> None:
    """Put what can be done into the queues; a scheduler has to, where that is not possible now."""
    try:
        with queue_of(tasks, queue) as queues, TaskScheduler(tasks=tasks, queue=queues) as one:
            one.turn()
    except QueueUnavailableError as error:
        click.echo(f"dlg: {error}: `dlg tasks schedule` will begin the job", err=True)


def _submitted(
    tasks: TaskDatabaseConnection, file: Path, code: Sequence[str], namespace: str | None
) -> SubmittedJob:
    add_user_code(str(file), code)
    return submit_job(tasks, read_document(file), source=str(file), namespace=namespace)


@click.command(cls=ExampleCommand, epilog=SCHEDULE_EXAMPLES, context_settings=HELP)
@on_database
@QUEUE
def schedule(*, place: Place, queue: str | None) -> int:
    """Put what is ready, or to be tried again, into the queues, until Ctrl-C.

    Workers schedule what their work makes ready; a scheduler repeats what failed after its pause,
    takes work away from workers that are silent, and begins new jobs. There may be several.
    """
    ending = Ending()
    with place.open() as tasks, queue_of(tasks, queue) as queues:
        try:
            with heeding(ending, signal.SIGINT, signal.SIGTERM):
                run_scheduler(tasks, queues, ending, lambda: _say_ready("schedules", place))
        except Abandoned:
            return INTERRUPTED
    return 0


def _say_ready(what: str, place: Place) -> None:
    click.echo(f"{what} for {place.shown}  (Ctrl-C ends it)", err=True)


@click.command(cls=ExampleCommand, epilog=WORK_EXAMPLES, context_settings=HELP)
@on_database
@QUEUE
@CODE
@WORKERS
@ISOLATE
@click.option(
    "--type", "types", multiple=True, metavar="TYPE", help="Only tasks of this type; again."
)
@click.option("--scheduler", is_flag=True, help="Run a scheduler beside them.")
@click.option(
    "--until-idle", "--once", is_flag=True, help="End when nothing that they can do is to be done."
)
def work(*, place: Place, queue: str | None, code: Sequence[str], **how: Any) -> int:
    """Run workers, which stay up until Ctrl-C.

    Types of tasks are done by modules task_X in the current directory, those named by --code, and
    in the code directory. Told to end they finish what they do; told again they give it up.
    """
    add_code_directories([*code, Path()])
    plan = replace(_plan(place, queue), types=tuple(how["types"]), isolated=how["isolate"])
    with place.open() as tasks:
        pool = WorkerPool(plan, how["workers"] or _cores(), scheduler=how["scheduler"])
        said = _Once(lambda: _say_ready("works", place))

        def is_idle() -> bool:
            rows = fetch_progress_summary(database=tasks.database)
            mine = joined(tuple(row for row in rows if row.task_type in pool.types))
            coming = mine.under_way if how["scheduler"] else mine.queued + mine.running
            return not coming

        return _run(
            pool, is_idle if how["until_idle"] else None, lambda: said.call(if_=pool.are_ready)
        )


class _Once:
    """Calls something once."""

    def __init__(self, what: Callable[[], None]) -> None:
        self._what: Callable[[], None] | None = what

    def call(self, *, if_: bool) -> None:
        """Call it, if the time has come and it was not before."""
        if if_ and self._what is not None:
            self._what()
            self._what = None


def _cores() -> int:
    return os.cpu_count() or 1


def _plan(place: Place, queue: str | None) -> WorkPlan:
    store = None if place.store is None else str(place.store.absolute())
    code = tuple(str(Path(entry).absolute()) for entry in sys.path)
    return WorkPlan(database=place.address, store=store, queue=queue, code=code)


def _run(pool: WorkerPool, is_over: Callable[[], bool] | None, seen: Callable[[], None]) -> int:
    """Run a pool until it is over or told to end; return 0, or the code of one given up."""
    with heeding_termination(), pool:
        try:
            pool.run(is_over, seen)
        except KeyboardInterrupt:
            return _end(pool)
    return 0


def _end(pool: WorkerPool) -> int:
    click.echo("ending: what runs is finished first; Ctrl-C again gives it up", err=True)
    pool.end()
    try:
        pool.run()
    except KeyboardInterrupt:
        pool.end()
        return INTERRUPTED
    return 0


@click.command(cls=ExampleCommand, epilog=RUN_EXAMPLES, context_settings=HELP)
@JOB_FILE
@on_database
@QUEUE
@CODE
@WORKERS
@ISOLATE
@NAMESPACE
@click.option("-q", "--quiet", is_flag=True, help="Say only what has gone wrong.")
@AS_JSON
def run(*, file: Path, place: Place, queue: str | None, **how: Any) -> int:
    """Make the database if need be, submit JOB, and work until it is over.

    Other tasks that are in the queues are done too. Exits with 1 if a task failed.
    """
    read_document(file)  # where there is no job to be read, no database is made
    with place.open(new=True) as tasks:
        job = _submitted(tasks, file, how["code"], how["namespace"])

        def look() -> tuple[TaskTypeProgress, ...]:
            return fetch_progress_summary(
                job.job_name, namespace=job.namespace, database=tasks.database
            )

        plan = replace(_plan(place, queue), isolated=how["isolate"])
        pool = WorkerPool(plan, how["workers"] or _cores(), scheduler=True)
        with _Showing(lambda: joined(look()), quiet=how["quiet"] or how["as_json"]) as showing:
            ended = _run(pool, lambda: not joined(look()).under_way, showing.show)
        rows = look()
        if how["as_json"]:
            print_json({"job": job, "tasks": rows})
        elif not how["quiet"]:
            click.echo(f"job {job.job_id}, {job.job_name or 'without a name'}")
            for line in progress_lines(rows):
                click.echo(line)
        sums = joined(rows)
        if sums.under_way:
            again = f"dlg tasks work --scheduler{place.all_options}"
            click.echo(f"it is not over: {again} goes on with it", err=True)
            return ended or INTERRUPTED
        _raise_failure(tasks, job, sums, place)
    return 0


def _raise_failure(
    tasks: TaskDatabaseConnection, job: SubmittedJob, sums: TaskTypeProgress, place: Place
) -> None:
    """Raise JobFailedError unless all of a job was done."""
    if sums.done == sums.total:
        return
    groups = fetch_errors(job.job_name, namespace=job.namespace, database=tasks.database)
    lines = [
        f"{'once' if one.attempts == 1 else f'{one.attempts:,} times'}: {one.message}"
        for one in groups[:MOST_ERRORS]
    ]
    counts = {
        "failed": sums.failed, "blocked by them": sums.blocked,
        "wait for what will not come": sums.waiting,
    }  # fmt: skip
    facts = ", ".join(f"{count:,} {what}" for what, count in counts.items() if count)
    reasons = "".join(f"\n  {line}" for line in lines)
    raise JobFailedError(
        f"job {job.job_id}: of {sums.total:,} tasks {facts}{reasons}\n"
        f"see: dlg tasks errors --job {job.job_id} --traceback{place.options}"
    )


class _Showing:
    """Shows now and then how far tasks are."""

    def __init__(self, look: Callable[[], TaskTypeProgress], *, quiet: bool) -> None:
        self._look, self._quiet = look, quiet
        self._bar = LiveProgress() if sys.stderr.isatty() and not quiet else None
        self._begun = clock.monotonic()
        self._next = LOOK_S if self._bar is not None else PLAIN_EVERY_S

    def __enter__(self) -> Self:
        if self._bar is not None:
            self._bar.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.__exit__(kind, error, trace)

    def show(self) -> None:
        """Show it, if the time has come."""
        elapsed = clock.monotonic() - self._begun
        if self._quiet or elapsed < self._next:
            return
        far = Far(self._look(), elapsed)
        if self._bar is not None:
            self._bar(far)
        else:
            click.echo(task_line(far), err=True)
        # Counting takes longer the more tasks there are: it is to take a small part of the time.
        took = clock.monotonic() - self._begun - elapsed
        pause = LOOK_S if self._bar is not None else PLAIN_EVERY_S
        self._next = elapsed + max(pause, 20 * took)
