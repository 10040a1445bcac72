"""`dlg tasks serve`: pages and REST of a database of tasks."""

from __future__ import annotations

import json
from typing import Any

import click

from dlg.support.examples import ExampleCommand
from dlg_engine.cli.background import can_go_to_background
from dlg_engine.cli.group import HELP
from dlg_engine.cli.managers import PORT, security_of, security_options
from dlg_engine.cli.tasks_common import QUEUE, Place, on_database
from dlg_engine.daemon.task_pages import PORT as USUAL_PORT
from dlg_engine.daemon.task_pages import TaskPagesOptions, run_task_pages

EXAMPLES = """
Examples:
  dlg tasks serve                              the database of the settings, on this host alone
  dlg tasks serve --database night.db --store products
  dlg tasks serve --database postgresql://me@db/tasks -H 0.0.0.0 --cluster cluster.toml
"""


@click.command(cls=ExampleCommand, epilog=EXAMPLES, context_settings=HELP)
@can_go_to_background("tasks serve", USUAL_PORT)
@on_database
@QUEUE
@click.option("-H", "--host", default="127.0.0.1", show_default=True, help="Where to listen.")
@click.option(
    "-P", "--port", type=PORT, default=USUAL_PORT, show_default=True,
    help="The port for REST and pages; 0 takes any that is free.",
)  # fmt: skip
@security_options
@click.option("--json", "as_json", is_flag=True, help="Say as JSON where it listens.")
def serve(place: Place, queue: str | None, **how: Any) -> None:
    """Serve pages that show jobs, tasks, products and messages, and REST for programs.

    Whoever reaches it can read the files of products and have failed tasks tried again: beyond
    this host it wants the token of the cluster.
    """

    def announce(database: str, url: str) -> None:
        if how["as_json"]:
            click.echo(json.dumps({"database": database, "url": url}))
        else:
            click.echo(f"the tasks of {database} are at {url}  (Ctrl-C ends it)", err=True)

    run_task_pages(
        TaskPagesOptions(
            database=place.address, store=place.store, queue_engine=queue, host=how["host"],
            port=how["port"], security=security_of(how), pid_file=how["pid_file"],
        ),
        announce,
    )  # fmt: skip
