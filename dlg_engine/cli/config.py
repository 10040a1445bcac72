"""`dlg config`: facilities, where jobs can run."""

from __future__ import annotations

import json
from pathlib import Path

import click
import msgspec

from dlg.exceptions import UsageError
from dlg.support.examples import ExampleCommand
from dlg_engine.cli.group import HELP
from dlg_engine.cli.loading import read_assignments
from dlg_engine.cli.tables import table_lines
from dlg_engine.launch.facilities import (
    BUILT_IN,
    FIELDS,
    LIKE,
    Facility,
    FacilityError,
    described,
    facilities_file,
    find,
    from_texts,
    known,
    read_facilities,
    read_tables,
    write_tables,
)

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
SETUP = f"""\
# Facilities of dlg: where jobs can run. Each is a table; what it does not say it has from the one
# that it is like: {", ".join(BUILT_IN)}. Keys: {", ".join(sorted(FIELDS))}.
#
# [ours]
# like = "slurm"
# host = "login.example.org"          # by ssh; leave it out on the machine itself
# root = "/scratch/me/dlg-jobs"       # all hosts of a job must see it
# partition = "work"
# setup = ["module load python", "source /software/dlg/bin/activate"]
"""


@click.group(context_settings=HELP, invoke_without_command=True)
@click.option("--setup", is_flag=True, help="Write a file of facilities to begin with.")
@click.option("-l", "--list", "listing", is_flag=True, help="The same as: dlg config list.")
@click.pass_context
def config(context: click.Context, *, setup: bool, listing: bool) -> None:
    """Describe facilities: where dlg create-job and dlg remote-submit can run graphs."""
    if context.invoked_subcommand is not None:
        return
    if setup:
        _set_up()
    elif listing:
        context.invoke(list_)
    else:
        click.echo(context.get_help())


def _set_up() -> None:
    path = facilities_file()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(SETUP)
    except FileExistsError:
        raise UsageError(f"{path} is there already: edit it, or use  dlg config set") from None
    click.echo(str(path))


@config.command("list", context_settings=HELP)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
def list_(*, as_json: bool = False) -> None:
    """List all facilities: the generic ones, and those of the file."""
    found = known()
    if as_json:
        click.echo(json.dumps({name: _table(one) for name, one in found.items()}))
        return
    path = facilities_file()
    own = set(read_facilities(path)) if path.exists() else set()
    rows = [
        (name, one.scheduler, one.host or "here", one.root, "file" if name in own else "built in",
         one.about)
        for name, one in found.items()
    ]  # fmt: skip
    for line in table_lines(("FACILITY", "SYSTEM", "HOST", "ROOT", "FROM", "ABOUT"), rows):
        click.echo(line)
    click.echo(f"file: {path}{'' if path.exists() else ' (not there yet)'}", err=True)


@config.command(context_settings=HELP)
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
def show(*, name: str, as_json: bool) -> None:
    """Tell everything about the facility NAME."""
    table = _table(find(name))
    if as_json:
        click.echo(json.dumps(table))
        return
    for key, value in table.items():
        shown = " ; ".join(value) if isinstance(value, list) else value
        click.echo(f"{key:<15} {shown}".rstrip())


def _table(facility: Facility) -> dict[str, object]:
    found: dict[str, object] = msgspec.to_builtins(facility)
    return found


SET_EXAMPLES = """
Examples:
  dlg config set ours like=slurm host=login.example.org root=/scratch/me/jobs partition=work
  dlg config set ours 'setup=module load python ; source ~/dlg/bin/activate' minutes=120
  dlg config set ours partition=            takes it out again
"""


@config.command("set", cls=ExampleCommand, epilog=SET_EXAMPLES, context_settings=HELP)
@click.argument("name")
@click.argument("pairs", nargs=-1, required=True, metavar="KEY=VALUE...")
def set_(*, name: str, pairs: tuple[str, ...]) -> None:
    """Describe the facility NAME, or change what it is.

    Comments in the file are lost by that.
    """
    path = facilities_file()
    tables = read_tables(path) if path.exists() else {}
    tables[name] = from_texts(name, read_assignments(pairs))
    click.echo(f"{name} is in {write_tables(tables)}", err=True)


@config.command("import", context_settings=HELP)
@click.argument("file", type=FILE)
@click.option("--replace", is_flag=True, help="Replace facilities that are there already.")
def import_(*, file: Path, replace: bool) -> None:
    """Take in the facilities of FILE, which a colleague may have sent.

    Look at it first: its lines are run on hosts where you have an account.
    """
    wanted = read_facilities(file)
    path = facilities_file()
    tables = read_tables(path) if path.exists() else {}
    both = sorted(set(tables) & set(wanted))
    if both and not replace:
        raise FacilityError(f"{', '.join(both)}: there already; --replace takes the new ones")
    tables.update({name: _own(table) for name, table in read_tables(file).items()})
    described(tables, "together")  # before it is written: else no facility could be used any more
    write_tables(tables)
    for name in wanted:
        click.echo(name)


def _own(table: dict[str, object]) -> dict[str, object]:
    return {key: value for key, value in table.items() if key in FIELDS or key == LIKE}
