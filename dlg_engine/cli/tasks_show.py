"""`dlg tasks list` and `dlg tasks show`: jobs, tasks, and all that is known of one."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import click

from dlg.exceptions import UsageError
from dlg.support.examples import ExampleCommand
from dlg_engine.cli.group import HELP
from dlg_engine.cli.tables import amount, clock_time, table_lines
from dlg_engine.cli.tasks_common import AS_JSON, TYPE, Place, coloured, on_database, print_json
from dlg_engine.tasks.diagnostics.job_choice import chosen_job
from dlg_engine.tasks.diagnostics.product_list import ProductRow
from dlg_engine.tasks.diagnostics.render_task_tree import (
    TreeRow,
    fetch_job_tree,
    fetch_running_job_tree,
)
from dlg_engine.tasks.diagnostics.task_details import AttemptDetails, TaskDetails, fetch_task
from dlg_engine.tasks.diagnostics.task_list import TaskRow, fetch_tasks
from dlg_engine.tasks.diagnostics.timings_table import render_run_time
from dlg_engine.tasks.pages.listing import Job, jobs
from dlg_engine.tasks.states import TaskState
from dlg_engine.tasks.task_database import TaskDatabaseConnection

LONGEST_VALUE = 70
LIST_EXAMPLES = """
Examples:
  dlg tasks list                          all jobs
  dlg tasks list grid --state failed      tasks of jobs named grid
  dlg tasks list 17 --tree                of the job with this number, as a tree
  dlg tasks list --running                what workers do now
"""
SHOW_EXAMPLES = """
Examples:
  dlg tasks show 18
  dlg tasks show 18 --logs 1000 --json
"""
STATE = click.Choice([state.value for state in TaskState])


@click.command("list", cls=ExampleCommand, epilog=LIST_EXAMPLES, context_settings=HELP)
@click.argument("job", required=False)
@on_database
@TYPE
@click.option("--state", type=STATE, help="Only tasks that stand so.")
@click.option("--tree", is_flag=True, help="Show which tasks belong to which.")
@click.option("--running", is_flag=True, help="Show what is queued or runs, as a tree.")
@click.option("--depth", type=click.IntRange(1), default=5, show_default=True, help="Of a tree.")
@click.option(
    "--limit", type=click.IntRange(1, 100_000), default=100, show_default=True,
    help="How many are listed at most.",
)  # fmt: skip
@click.option("--after", type=click.IntRange(0), default=0, help="Go on after this number.")
@AS_JSON
def list_(*, place: Place, job: str | None, **how: Any) -> None:
    """List jobs, or with any of JOB and the options tasks.

    JOB is the number of a job, or the name of all that have it.
    """
    with place.open() as tasks:
        if how["running"] or how["tree"]:
            _list_tree(tasks, job, how)
        elif job or how["task_type"] or how["state"]:
            _list_tasks(tasks, job, how)
        else:
            _list_jobs(tasks, how)


def _list_jobs(tasks: TaskDatabaseConnection, how: Mapping[str, Any]) -> None:
    with tasks.database.reading() as session:
        found = jobs(session, how["limit"], how["after"] or None)
    if how["as_json"]:
        print_json(found.jobs)
        return
    rows = [_job_cells(job) for job in found.jobs]
    head = ("number", "job", "submitted", "tasks", "done", "failed", "blocked", "to come")
    _print(head, rows, "there are no jobs")
    if found.next is not None:
        click.echo(f"there are more: --after {found.next} lists older ones", err=True)


def _job_cells(job: Job) -> tuple[str, ...]:
    counts = {state: job.states.get(state.value, 0) for state in TaskState}
    coming = counts[TaskState.WAITING] + counts[TaskState.ACTIVE]
    return (
        str(job.first), job.job or "-", clock_time(job.created), f"{job.tasks:,}",
        *(f"{counts[state]:,}" for state in (TaskState.DONE, TaskState.FAILED, TaskState.BLOCKED)),
        f"{coming:,}",
    )  # fmt: skip


def _list_tasks(tasks: TaskDatabaseConnection, job: str | None, how: Mapping[str, Any]) -> None:
    chosen = chosen_job(job, database=tasks.database)
    found = fetch_tasks(
        chosen.job_name, how["task_type"], TaskState(how["state"]) if how["state"] else None,
        after=how["after"], most=how["limit"], namespace=chosen.namespace,
        database=tasks.database,
    )  # fmt: skip
    if how["as_json"]:
        print_json(found)
        return
    head = ("number", "type", "name", "job", "state", "attempts", "missing")
    _print(head, [_task_cells(task) for task in found], "there are no such tasks")
    if len(found) == how["limit"]:
        click.echo(f"there may be more: --after {found[-1].task_id} goes on", err=True)


def _task_cells(task: TaskRow) -> tuple[str, ...]:
    return (
        str(task.task_id), task.task_type, task.task_name or "-", task.job_name or "-",
        coloured(task.state), f"{task.attempts} of {task.tries}", str(task.missing or "-"),
    )  # fmt: skip


def _list_tree(tasks: TaskDatabaseConnection, job: str | None, how: Mapping[str, Any]) -> None:
    if how["task_type"] or how["state"]:
        raise UsageError("a tree has tasks of all types and states: leave out --type and --state")
    chosen = chosen_job(job, database=tasks.database)
    where: dict[str, Any] = {"namespace": chosen.namespace, "database": tasks.database}
    if how["running"]:
        found = fetch_running_job_tree(chosen.job_name, max_depth=how["depth"], **where)
    else:
        found = fetch_job_tree(chosen.job_name, max_depth=how["depth"], **where)
    if how["as_json"]:
        print_json(found)
        return
    for row in found:
        click.echo(_branch(row))
    if not found:
        click.echo("nothing runs" if how["running"] else "there are no tasks", err=True)


def _branch(row: TreeRow) -> str:
    task = row.task
    state = ", ".join(row.attempt_states) or task.state
    name = f" {task.task_name}" if task.task_name else ""
    more = f" ({row.children:,} below)" if row.children else ""
    job = f" of {task.job_name}" if row.depth == 0 and task.job_name else ""
    return f"{'  ' * row.depth}{task.task_id} {task.task_type}{name}{job}: {coloured(state)}{more}"


@click.command(cls=ExampleCommand, epilog=SHOW_EXAMPLES, context_settings=HELP)
@click.argument("number", type=click.IntRange(1))
@on_database
@click.option(
    "--logs", type=click.IntRange(0, 100_000), default=20, show_default=True, metavar="N",
    help="How many messages are shown, the newest.",
)  # fmt: skip
@AS_JSON
def show(*, place: Place, number: int, logs: int, as_json: bool) -> None:
    """Tell all that is known of the task with this NUMBER: attempts, files, verdicts, messages."""
    with place.open() as tasks:
        found = fetch_task(number, most_logs=logs, database=tasks.database)
    if as_json:
        print_json(found)
        return
    for line in _details(found):
        click.echo(line)


def _details(found: TaskDetails) -> Iterator[str]:
    task = found.task
    yield f"task {task.task_id}: {task.task_type} {task.task_name or ''}".rstrip()
    facts = {
        "state": coloured(task.state), "job": task.job_name, "namespace": found.namespace,
        "below": task.parent_id, "tasks below it": found.children or None,
        "registered": clock_time(task.created), "attempts": f"{task.attempts} of {task.tries}",
        "still missing": task.missing or None,
        "next attempt": clock_time(task.not_before) if task.not_before else None,
        "waits for": ", ".join(f"{one.task_id} ({one.state})" for one in found.waits_for),
    }  # fmt: skip
    yield from _facts({name: value for name, value in facts.items() if value})
    yield from _headed("metadata", _facts(found.metadata))
    reads = (line for name, one in found.inputs.items() for line in _product(one, name))
    yield from _headed("reads", reads)
    makes = (line for one in found.outputs for line in _product(one, one.semantic_type))
    yield from _headed("makes", makes)
    for attempt in found.attempts:
        yield from _attempt(attempt)
    messages = (
        f"{clock_time(row.time)} {logging.getLevelName(row.severity)} {row.message}"
        for row in found.logs
    )
    yield from _headed("messages", messages)


def _attempt(found: AttemptDetails) -> Iterator[str]:
    one = found.attempt
    judged = {True: ", passed", False: ", refused", None: ", not judged"}[one.verdict]
    stalled = ", stalled" if one.is_stalled() else ""
    yield f"attempt {one.attempt_id}: {coloured(one.state)}{judged}{stalled}"
    facts = {
        "worker": one.worker, "host": one.host, "queued": clock_time(one.queued),
        "started": clock_time(one.started), "ended": clock_time(one.ended),
        "took": f"{render_run_time(one.wall_s)}, processor {render_run_time(one.cpu_s)}",
    }  # fmt: skip
    yield from _facts({name: value for name, value in facts.items() if value not in (None, "-")})
    yield from _facts(found.metadata)
    for line in (one.error_text or "").rstrip().splitlines():
        yield f"    {line}"


def _product(found: ProductRow, name: str) -> Iterator[str]:
    state = "passed" if found.passed else "not there" if not found.versions else "not passed"
    yield f"  {name}: {found.path}, {state}"
    for version in found.versions:
        judged = {True: "passed", False: "refused", None: "not judged"}[version.passed_qc]
        yield (
            f"    version {version.version_id} of attempt {version.attempt_id}: "
            f"{amount(version.size)}, {judged}, md5 {version.md5}"
        )


def _headed(title: str, lines: Iterator[str]) -> Iterator[str]:
    first = next(lines, None)
    if first is not None:
        yield title
        yield first
        yield from lines


def _facts(found: Mapping[str, Any]) -> Iterator[str]:
    for name, value in found.items():
        text = value if isinstance(value, str) else json.dumps(value, default=str)
        short = text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 3]}..."
        yield f"  {name}: {short}"


def _print(head: Sequence[str], rows: Sequence[Sequence[str]], nothing: str) -> None:
    if not rows:
        click.echo(nothing, err=True)
        return
    for line in table_lines(head, rows):
        click.echo(line)
