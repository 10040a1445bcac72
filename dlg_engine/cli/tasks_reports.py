"""`dlg tasks progress`, `timings` and `errors`: how a database of tasks is as a whole."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import click

from dlg.support import clock
from dlg.support.bells import Bell
from dlg.support.database import Database
from dlg.support.examples import ExampleCommand
from dlg_engine.cli.group import HELP
from dlg_engine.cli.progress import LiveProgress, describe
from dlg_engine.cli.tables import clock_time, table_lines
from dlg_engine.cli.tasks_common import AS_JSON, JOB, TYPE, Place, on_database, print_json
from dlg_engine.tasks import bells
from dlg_engine.tasks.diagnostics.errors_list import ErrorGroup, fetch_errors
from dlg_engine.tasks.diagnostics.job_choice import JobChoice, chosen_job
from dlg_engine.tasks.diagnostics.progress_summary import (
    COUNTS,
    TaskTypeProgress,
    fetch_progress_summary,
    joined,
)
from dlg_engine.tasks.diagnostics.timings_table import fetch_timings_table, render_run_time
from dlg_engine.tasks.watching import watching_bell

LOOK_S = 1.0
"""How often one looks again where nobody tells that something has changed."""
PROGRESS_EXAMPLES = """
Examples:
  dlg tasks progress                 of all jobs, by type of task
  dlg tasks progress --job 17 -f     of one, until it is over
"""
TIMINGS_EXAMPLES = """
Examples:
  dlg tasks timings
  dlg tasks timings --job grid --json
"""
ERRORS_EXAMPLES = """
Examples:
  dlg tasks errors                       what failed most, with some of the tasks
  dlg tasks errors --job 17 --traceback  and where in the code
"""


@dataclass(frozen=True, slots=True)
class Far:
    """How far tasks are, as a bar shows it."""

    sums: TaskTypeProgress
    elapsed_s: float
    before: int = 0
    """How many were over when one began to look: they say nothing about the rate."""

    @property
    def total(self) -> int:
        """Return how many there are."""
        return self.sums.total - self.before

    @property
    def done(self) -> int:
        """Return how many are over."""
        return self.sums.over - self.before

    @property
    def failed(self) -> int:
        """Return how many have failed."""
        return self.sums.failed

    @property
    def running(self) -> int:
        """Return how many workers are busy."""
        return self.sums.running + self.sums.judging

    @property
    def skipped(self) -> int:
        """Return how many will not be done because of others."""
        return self.sums.blocked


@click.command(cls=ExampleCommand, epilog=PROGRESS_EXAMPLES, context_settings=HELP)
@on_database
@JOB
@click.option("-f", "--follow", is_flag=True, help="Show a live bar until nothing is to come.")
@AS_JSON
def progress(*, place: Place, job: str | None, follow: bool, as_json: bool) -> None:
    """Tell how many tasks of each type wait, run, are done or have failed."""
    with place.open() as tasks:
        chosen = chosen_job(job, database=tasks.database)
        if follow:
            _follow(tasks.database, chosen)
        rows = _summary(tasks.database, chosen)
    if as_json:
        print_json(rows)
        return
    if not rows:
        click.echo("there are no tasks", err=True)
        return
    for line in progress_lines(rows):
        click.echo(line)


def progress_lines(rows: Sequence[TaskTypeProgress]) -> Sequence[str]:
    """Return a table of types and how their tasks stand; what there is none of is left out."""
    sums = joined(tuple(rows))
    shown = [name for name in COUNTS if getattr(sums, name)]
    listed = [*rows, sums] if len(rows) > 1 else list(rows)
    cells = [
        (row.task_type, *(f"{getattr(row, name):,}" for name in shown), f"{row.total:,}")
        for row in listed
    ]
    return list(table_lines(("type", *shown, "tasks"), cells))


def _summary(database: Database, chosen: JobChoice) -> tuple[TaskTypeProgress, ...]:
    return fetch_progress_summary(chosen.job_name, namespace=chosen.namespace, database=database)


def _follow(database: Database, chosen: JobChoice) -> None:
    """Show a bar until all tasks are over, or nothing can happen any more by itself."""
    follow_until(
        database,
        lambda: joined(_summary(database, chosen)),
        lambda sums: not sums.under_way,
    )


def follow_until(
    database: Database,
    look: Callable[[], TaskTypeProgress],
    is_over: Callable[[TaskTypeProgress], bool],
) -> TaskTypeProgress:
    """Show how far tasks are each time that something has changed, and return how they end."""
    begun, live = clock.monotonic(), sys.stderr.isatty()
    with ExitStack() as stack:
        bell = watching_bell(database)
        if bell is not None:
            stack.callback(bell.close)
        bar = stack.enter_context(LiveProgress()) if live else None
        last = ""
        while True:
            if bell is not None:
                bell.listen()
                bell.heard()
            sums = look()
            far = Far(sums, clock.monotonic() - begun)
            if bar is not None:
                bar(far)
            elif (line := task_line(far)) != last and not is_over(sums):
                last = line
                click.echo(line, err=True)
            if is_over(sums):
                return sums
            _wait(bell)


def task_line(far: Far) -> str:
    """Return one plain line that says how far tasks have come."""
    return describe(far).replace(" drops ", " tasks ").replace("skipped", "blocked")


def _wait(bell: Bell | None) -> None:
    """Return when something has changed, or may have: not every change is told at once."""
    if bell is None:
        clock.sleep(LOOK_S)
        return
    bells.Bell(bell).wait(LOOK_S)


@click.command(cls=ExampleCommand, epilog=TIMINGS_EXAMPLES, context_settings=HELP)
@on_database
@JOB
@TYPE
@AS_JSON
def timings(*, place: Place, job: str | None, task_type: str | None, as_json: bool) -> None:
    """Tell how long tasks of each type take: by the clock, and of the processor."""
    with place.open() as tasks:
        chosen = chosen_job(job, database=tasks.database)
        found = fetch_timings_table(
            chosen.job_name, task_type, namespace=chosen.namespace, database=tasks.database
        )
    if as_json:
        print_json(found)
        return
    if not found:
        click.echo("nothing has run yet", err=True)
        return
    head = ("type", "runs", "mean", "95 %", "longest", "processor", "95 %", "with children")
    rows = []
    for one in found:
        children = one.cpu_with_children
        times = (one.wall.mean_s, one.wall.p95_s, one.wall.max_s, one.cpu.mean_s, one.cpu.p95_s)
        rows.append((
            one.task_type, f"{one.count:,}", *(render_run_time(time) for time in times),
            render_run_time(None if children is None else children.mean_s),
        ))  # fmt: skip
    for line in table_lines(head, rows):
        click.echo(line)


@click.command(cls=ExampleCommand, epilog=ERRORS_EXAMPLES, context_settings=HELP)
@on_database
@JOB
@TYPE
@click.option("--traceback", is_flag=True, help="Show the whole text of the newest of each.")
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True)
@AS_JSON
def errors(*, place: Place, job: str | None, task_type: str | None, **how: Any) -> None:
    """Tell what has gone wrong, the most frequent first: failures with one message are one."""
    with place.open() as tasks:
        chosen = chosen_job(job, database=tasks.database)
        found = fetch_errors(
            chosen.job_name, task_type, namespace=chosen.namespace, database=tasks.database
        )
    if how["as_json"]:
        print_json(found[: how["limit"]])
        return
    if not found:
        click.echo("nothing has failed")
    for group in found[: how["limit"]]:
        _tell_error(group, with_traceback=how["traceback"])
    if len(found) > how["limit"]:
        click.echo(f"and {len(found) - how['limit']} more kinds: --limit", err=True)


def _tell_error(group: ErrorGroup, *, with_traceback: bool) -> None:
    click.secho(group.message, fg="red")
    numbers = ", ".join(str(number) for number in group.task_ids)
    more = ", ..." if group.tasks > len(group.task_ids) else ""
    tasks = "task" if group.tasks == 1 else "tasks"
    times = "once" if group.attempts == 1 else f"{group.attempts:,} times"
    click.echo(
        f"  {times}, last {clock_time(group.last)}, "
        f"{group.open_tasks:,} not mended; {', '.join(group.task_types)}: {tasks} {numbers}{more}"
    )
    if with_traceback:
        for line in group.traceback.rstrip().splitlines():
            click.echo(f"    {line}")
