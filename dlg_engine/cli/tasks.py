"""`dlg tasks`: the table of the commands for databases of tasks."""

from __future__ import annotations

from collections.abc import Mapping

import click

from dlg.support.database import need_sqlalchemy
from dlg_engine.cli.group import HELP, CommandTable, Entry

TASK_COMMANDS: Mapping[str, Entry] = {
    "run": Entry("dlg_engine.cli.tasks_running:run", "Submit a job, and work until it is over."),
    "init": Entry("dlg_engine.cli.tasks_database:init", "Make the tables of a database."),
    "submit": Entry("dlg_engine.cli.tasks_running:submit", "Put a job into the database."),
    "schedule": Entry("dlg_engine.cli.tasks_running:schedule", "Run a scheduler."),
    "work": Entry("dlg_engine.cli.tasks_running:work", "Run workers."),
    "standalone": Entry("dlg_engine.cli.tasks_standalone:standalone", "Do one task by itself."),
    "list": Entry("dlg_engine.cli.tasks_show:list_", "List jobs, or the tasks of one."),
    "show": Entry("dlg_engine.cli.tasks_show:show", "Tell all that is known of a task."),
    "serve": Entry("dlg_engine.cli.tasks_serve:serve", "Serve pages that show all of it."),
    "progress": Entry("dlg_engine.cli.tasks_reports:progress", "Tell how far everything is."),
    "timings": Entry("dlg_engine.cli.tasks_reports:timings", "Tell how long tasks take."),
    "errors": Entry("dlg_engine.cli.tasks_reports:errors", "Tell what has gone wrong."),
    "retry": Entry("dlg_engine.cli.tasks_queues:retry", "Try failed tasks again."),
    "queue": Entry("dlg_engine.cli.tasks_queues:queue", "Tell what is in the queues."),
    "export": Entry("dlg_engine.cli.tasks_export:export", "Copy the products of a job."),
    "db": Entry("dlg_engine.cli.tasks_database:db", "Dump and restore a database."),
}
"""The commands of the group: where each is, and its line of help."""

SECTIONS: Mapping[str, str] = {
    "run": "Commands that run tasks",
    "list": "Commands that look at tasks",
    "retry": "Commands for what has gone wrong, and for results",
    "db": "Commands for the database",
}
"""The sections of `dlg tasks --help`, by the command that each begins with."""

EXAMPLES = """
Examples:
  dlg tasks run job.yaml                    all in one: database, scheduler, workers
  dlg tasks submit job.yaml                 only put the job into the database; elsewhere:
  dlg tasks work -n 8 --scheduler           work on what is there, until Ctrl-C
  dlg tasks progress --follow               watch it
  dlg tasks serve                           the same on pages
  dlg tasks errors                          what has gone wrong?

The database is --database, or that of the settings: an SQLite file, if they do not say otherwise.
Exit codes: 0 all is well, 1 a task failed, 2 the command or the job is wrong, 130 interrupted.
"""


class TaskCommands(CommandTable):
    """The commands of the group, for which SQLAlchemy is needed."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command; raise MissingExtraError where it could not be imported."""
        if cmd_name in self.table:
            need_sqlalchemy()
        return super().get_command(ctx, cmd_name)


@click.group(
    cls=TaskCommands,
    table=TASK_COMMANDS,
    sections=SECTIONS,
    plugins_of="",
    epilog=EXAMPLES,
    context_settings=HELP,
)
def tasks() -> None:
    """Work with databases of tasks: submit jobs, run them, see what became of them."""
