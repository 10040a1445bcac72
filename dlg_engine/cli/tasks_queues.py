"""`dlg tasks queue` and `dlg tasks retry`: what waits, and what has failed for good."""

from __future__ import annotations

from collections.abc import Sequence

import click

from dlg.exceptions import UsageError
from dlg.support.examples import ExampleCommand
from dlg_engine.cli.group import HELP
from dlg_engine.cli.tables import clock_time, table_lines
from dlg_engine.cli.tasks_common import (
    AS_JSON,
    JOB,
    QUEUE,
    TYPE,
    Place,
    on_database,
    print_json,
    queue_of,
)
from dlg_engine.tasks.dead_letters import purge as purge_queue
from dlg_engine.tasks.dead_letters import retry_failed, retry_tasks
from dlg_engine.tasks.diagnostics.job_choice import chosen_job
from dlg_engine.tasks.diagnostics.looking import of_tasks
from dlg_engine.tasks.diagnostics.queue_list import DeadLetter, fetch_dead_letters, fetch_queues

QUEUE_EXAMPLES = """
Examples:
  dlg tasks queue                    how long are the queues?
  dlg tasks queue --dead             what has failed for good?
  dlg tasks queue --requeue search   try all failed tasks of this type again
  dlg tasks queue --purge search     give up all that waits in this queue
"""
RETRY_EXAMPLES = """
Examples:
  dlg tasks retry 18 21          these tasks
  dlg tasks retry --job 17       all failed ones of a job
  dlg tasks retry --all --tries 3
"""


@click.command(cls=ExampleCommand, epilog=QUEUE_EXAMPLES, context_settings=HELP)
@on_database
@QUEUE
@click.option("--dead", is_flag=True, help="List the tasks that have failed for good.")
@click.option("--requeue", metavar="TYPE", help="Try the failed tasks of a type again.")
@click.option("--purge", metavar="TYPE", help="Give up all that waits in the queue of a type.")
@AS_JSON
def queue(
    *,
    place: Place,
    queue: str | None,
    dead: bool,
    requeue: str | None,
    purge: str | None,
    as_json: bool,
) -> None:
    """Tell how many attempts wait in the queue of each type of tasks, and what is in no queue.

    Tasks that have failed for good are the dead letters: --requeue and `dlg tasks retry` bring
    them back. What --purge takes out of a queue has failed, and can be brought back likewise.
    """
    if sum(map(bool, (dead, requeue, purge))) > 1:
        raise UsageError("one of --dead, --requeue and --purge at a time")
    with place.open() as tasks:
        if requeue or purge:
            kind = requeue or purge or ""
            tasks.task_type_list_fetch_id(kind)  # says if there is none
            if purge:
                count, done = purge_queue(tasks, kind), "given up"
            else:
                with queue_of(tasks, queue) as queues:
                    count = retry_failed(tasks, queues, of_tasks(None, kind))
                done = "to be tried again"
            _say(count, done, as_json=as_json)
        elif dead:
            _tell_dead(fetch_dead_letters(database=tasks.database), as_json=as_json)
        else:
            found = fetch_queues(database=tasks.database)
            if as_json:
                print_json(found)
                return
            head = ("queue", "waiting", "since", "running", "stalled", "failed for good")
            rows = [
                (one.queue, f"{one.waiting:,}", clock_time(one.oldest), f"{one.running:,}",
                 f"{one.stalled:,}", f"{one.dead:,}")
                for one in found
            ]  # fmt: skip
            for line in table_lines(head, rows):
                click.echo(line)


def _tell_dead(found: Sequence[DeadLetter], *, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    if not found:
        click.echo("no task has failed for good")
        return
    head = ("task", "type", "name", "job", "attempts", "ended", "message")
    rows = [
        (str(one.task_id), one.task_type, one.task_name or "-", one.job_name or "-",
         str(one.attempts), clock_time(one.ended), one.message)
        for one in found
    ]  # fmt: skip
    for line in table_lines(head, rows):
        click.echo(line)


@click.command(cls=ExampleCommand, epilog=RETRY_EXAMPLES, context_settings=HELP)
@click.argument("numbers", nargs=-1, type=click.IntRange(1), metavar="[TASK]...")
@on_database
@QUEUE
@click.option("--all", "everything", is_flag=True, help="All tasks that have failed.")
@JOB
@TYPE
@click.option(
    "--tries", type=click.IntRange(1, 1000), default=1, show_default=True,
    help="How many more attempts each may have.",
)  # fmt: skip
@AS_JSON
def retry(  # noqa: PLR0913  each is an option
    *,
    numbers: tuple[int, ...],
    place: Place,
    queue: str | None,
    everything: bool,
    job: str | None,
    task_type: str | None,
    tries: int,
    as_json: bool,
) -> None:
    """Try tasks again that have failed for good; what waits for them waits again.

    Which: those with the numbers given, or all, of a job, of a type.
    """
    if bool(numbers) == bool(everything or job or task_type):
        raise UsageError("name the tasks by their numbers, or say --all, --job or --type")
    with place.open() as tasks, queue_of(tasks, queue) as queues:
        if numbers:
            retry_tasks(tasks, queues, numbers, tries)
            count = len(set(numbers))
        else:
            chosen = chosen_job(job, database=tasks.database)
            wanted = of_tasks(chosen.job_name, task_type, chosen.namespace)
            count = retry_failed(tasks, queues, wanted, tries)
    _say(count, "to be tried again", as_json=as_json)


def _say(count: int, done: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"tasks": count})
    else:
        click.echo(f"{count:,} {'task' if count == 1 else 'tasks'} {done}")
