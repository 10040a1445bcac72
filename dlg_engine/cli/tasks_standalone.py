"""`dlg tasks standalone`: one task by itself."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import click

from dlg.exceptions import RunError
from dlg.support.examples import ExampleCommand
from dlg_engine.cli.group import HELP
from dlg_engine.cli.loading import add_user_code
from dlg_engine.cli.tasks_common import AS_JSON, print_json
from dlg_engine.tasks.diagnostics.errors_list import message_of
from dlg_engine.tasks.standalone import launch_standalone
from dlg_engine.tasks.states import AttemptState

EXAMPLES = """
Examples:
  dlg tasks standalone search.ini -o results

  [task]                   what a file looks like
  task = concatenate
  [inputs]
  first = a.txt
  [outputs]
  all = joined.txt
"""


class TaskNotPassedError(RunError):
    """A task has failed, or what it made was refused."""


@click.command(cls=ExampleCommand, epilog=EXAMPLES, context_settings=HELP)
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "-o", "--output", type=click.Path(file_okay=False, path_type=Path), metavar="DIR",
    help="Where what it makes is written; by default beside FILE.",
)  # fmt: skip
@click.option(
    "--code", multiple=True, type=click.Path(exists=True, file_okay=False), metavar="DIR",
    help="Where a module task_X is that does tasks of a type X; again for more.",
)  # fmt: skip
@AS_JSON
def standalone(*, file: Path, output: Path | None, code: Sequence[str], as_json: bool) -> None:
    """Do the one task that FILE describes, with a database of its own, and print what it told."""
    add_user_code(str(file), code)
    found = launch_standalone(file, output)
    if as_json:
        print_json(found)
    else:
        for name, value in found.metadata.items():
            click.echo(f"{name}: {json.dumps(value)}")
        for name, path in found.outputs.items():
            click.echo(f"wrote {name} to {path}")
    if found.state is not AttemptState.PASSED:
        reason = message_of(found.error_text, found.state.value)
        raise TaskNotPassedError(f"{file}: the task is {found.state.value}: {reason}")
