"""`dlg tasks init` and `dlg tasks db`: databases of tasks as a whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from dlg.exceptions import UsageError
from dlg.support.examples import ExampleCommand
from dlg_engine.cli.group import HELP
from dlg_engine.cli.tables import amount
from dlg_engine.cli.tasks_common import AS_JSON, Place, on_database, print_json
from dlg_engine.tasks.connect_db import DatabaseInterface, tables_of
from dlg_engine.tasks.task_types import TaskTypeList

FILE = click.Path(dir_okay=False, path_type=Path)
INIT_EXAMPLES = """
Examples:
  dlg tasks init                                             the database of the settings
  dlg tasks init --database postgresql://me@db/tasks --save  from now on, this one
  dlg tasks init --types task_type_registry.xml              with types of tasks and containers
"""


@click.command(cls=ExampleCommand, epilog=INIT_EXAMPLES, context_settings=HELP)
@on_database
@click.option(
    "--types", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="XML",
    help="A registry of types of tasks and of the containers that can run them.",
)  # fmt: skip
@click.option("--save", is_flag=True, help="Use this database from now on: write it to settings.")
@click.option("--replace", is_flag=True, help="Throw away what is there, with all that is in it.")
@AS_JSON
def init(*, place: Place, types: Path | None, save: bool, replace: bool, as_json: bool) -> None:
    """Make the tables of a database; one that has them stays as it is."""
    listed = TaskTypeList.read_from_xml(types) if types else None  # before anything is changed
    if replace:
        with DatabaseInterface(place.address, connect=False) as database:
            database.create_database(replace=True)
    with place.open(new=True) as tasks:
        if listed is not None:
            tasks.task_type_list_to_db(listed)
        known = tasks.task_type_list_from_db()
        facts: dict[str, Any] = {
            "database": place.shown, "store": str(tasks.file_store_path),
            "types": len(known.task_list), "containers": len(known.worker_containers),
        }  # fmt: skip
    if save:
        with DatabaseInterface(place.address, connect=False) as database:
            database.make_sql_login_config()
    if as_json:
        print_json(facts)
        return
    click.echo(f"the database of tasks is {facts['database']}, its files are in {facts['store']}")
    if listed is not None:
        click.echo(f"{facts['types']} types of tasks, {facts['containers']} containers")


@click.group(context_settings=HELP)
def db() -> None:
    """Write all of a database to a file, and bring it back, on whichever engine."""


@db.command(context_settings=HELP)
@click.argument("file", type=FILE)
@on_database
@AS_JSON
def dump(*, place: Place, file: Path, as_json: bool) -> None:
    """Write all that a database has at this moment to FILE, compressed.

    The files of products are not in it: the store is a folder, to be copied as one.
    """
    if not file.absolute().parent.is_dir():
        raise UsageError(f"cannot write {file}: there is no directory {file.parent}")
    place.open().close_db()  # says what is wrong with it
    with DatabaseInterface(place.address) as database:
        database.dump(file)
    size = file.stat().st_size
    if as_json:
        print_json({"file": str(file), "bytes": size})
    else:
        click.echo(f"wrote {file}, {amount(size)}")


@db.command(context_settings=HELP, short_help="Fill a database with a dump.")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@on_database
@click.option("--replace", is_flag=True, help="Throw away what is there.")
def restore(*, place: Place, file: Path, replace: bool) -> None:
    """Fill a database with what FILE has, which `dlg tasks db dump` wrote."""
    with DatabaseInterface(place.address, connect=False) as database:
        if not replace and tables_of(database.url):
            raise UsageError(
                f"{place.shown} has tables already: --replace throws away what is in them"
            )
        database.restore(file)
    click.echo(f"restored {file} to {place.shown}")
