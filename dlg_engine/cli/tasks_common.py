"""What the commands of `dlg tasks` have in common: the database, options, JSON, colours."""

from __future__ import annotations

import functools
import json
import shlex
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, is_dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from dlg.exceptions import UsageError
from dlg.support.database import Database
from dlg_engine.tasks.connect_db import DatabaseConnector, DatabaseInterface
from dlg_engine.tasks.migrating import version_of
from dlg_engine.tasks.queue_contract import TaskQueue
from dlg_engine.tasks.settings import Settings
from dlg_engine.tasks.task_database import TaskDatabaseConnection
from dlg_engine.tasks.task_queues import IMPLEMENTATIONS
from dlg_engine.tasks.worker_process import opened_queue


@dataclass(frozen=True, slots=True)
class Place:
    """The database that a command works on, and the store of its files."""

    database: str | None
    """An address or a path; None for that of the settings."""
    store: Path | None

    @property
    def address(self) -> str:
        """Return the address of the database."""
        if self.database is None:
            interface = DatabaseConnector().interface(connect=False)
            return interface.url.render_as_string(hide_password=False)
        _check(self.database)
        if "://" in self.database:
            return self.database
        return f"sqlite:///{Path(self.database).absolute()}"

    @property
    def shown(self) -> str:
        """Return the address as people may see it: without a password."""
        url = DatabaseInterface(self.address, connect=False).url
        return url.render_as_string(hide_password=True)

    @property
    def options(self) -> str:
        """Return the options with which another command finds the same; "" for the settings."""
        return "" if self.database is None else f" --database {shlex.quote(self._said)}"

    @property
    def all_options(self) -> str:
        """Return those with which workers find the same: the store as well."""
        store = "" if self.store is None else f" --store {shlex.quote(str(self.store))}"
        return self.options + store

    @property
    def _said(self) -> str:
        return self.shown if "://" in str(self.database) else str(self.database)

    def open(self, *, new: bool = False) -> TaskDatabaseConnection:
        """Open the database; unless it may be `new`, it must be there and have the tables."""
        prefix = "sqlite:///"
        address = self.address
        if address.startswith(prefix) and not Path(address.removeprefix(prefix)).exists():
            if not new:
                raise UsageError(
                    f"there is no database of tasks at {address.removeprefix(prefix)}: make one "
                    "with `dlg tasks init`, or name another by --database"
                )
            Path(address.removeprefix(prefix)).parent.mkdir(parents=True, exist_ok=True)
        if not new:
            self._need_tables()
        return TaskDatabaseConnection(self.store, address)

    def _need_tables(self) -> None:
        """Refuse a database that is used for something else, or not yet for anything."""
        database = Database(self.address)
        try:
            found = version_of(database)
        finally:
            database.close()
        if found is None:
            raise UsageError(
                f"{self.shown} has no tables for tasks: make them with "
                f"`dlg tasks init{self.options}`, or name another by --database"
            )


def _check(database: str) -> None:
    """Refuse what cannot be the address of a database."""
    kind, is_url, _ = database.partition("://")
    if not is_url and (not database or Path(database).is_dir()):
        what = "is a folder" if database else "is empty"
        raise UsageError(f"--database {database!r} {what}: name a file or an address")
    if is_url and kind.partition("+")[0] not in KINDS:
        raise UsageError(
            f"--database {kind}://...: there are no databases of this kind; an address begins "
            f"with {', '.join(f'{one}://' for one in KINDS)}, or is the path of an SQLite file"
        )
    try:
        if is_url:
            _ = urlsplit(database).port
    except ValueError as error:
        shown = database.rpartition("@")[2]
        raise UsageError(f"--database {kind}://...{shown}: its port is no number") from error


KINDS = ("postgresql", "mysql", "mariadb", "sqlite")
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
QUEUE = click.option(
    "--queue", type=click.Choice(IMPLEMENTATIONS), metavar="|".join(IMPLEMENTATIONS),
    help="Which queues hand out work: those in the database, or a broker; by default what the "
    "settings say.",
)  # fmt: skip


def queue_of(tasks: TaskDatabaseConnection, kind: str | None) -> TaskQueue:
    """Return the queues that are meant: of a kind, or what the settings say."""
    found = kind or str(Settings().installation_info["queue_implementation"])
    return opened_queue(found, tasks)


JOB = click.option(
    "--job", metavar="JOB", help="Only of this job: its number, or the name of all with that."
)
TYPE = click.option("--type", "task_type", metavar="TYPE", help="Only tasks of this type.")


def on_database(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that say which database is meant; it gets a `place`."""

    @functools.wraps(command)
    def call(*, database: str | None, store: Path | None, **how: Any) -> Any:
        return command(place=Place(database, store), **how)

    options = (
        click.option(
            "--database", metavar="URL",
            help="The database: the path of an SQLite file, postgresql://user@host/name or "
            "mariadb://user@host/name; by default that of the settings.",
        ),
        click.option(
            "--store", type=click.Path(file_okay=False, path_type=Path), metavar="DIR",
            help="Where the files of products are kept; by default what the settings say.",
        ),
    )  # fmt: skip
    found: Callable[..., Any] = call
    for option in reversed(options):
        found = option(found)
    return found


def print_json(found: Any) -> None:
    """Print records, or anything that holds some, as JSON."""
    click.echo(json.dumps(_plain(found), default=str))


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, Mapping):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    return value


def coloured(state: str) -> str:
    """Return the name of a state in the colour it has for people."""
    return click.style(state, fg=COLOURS.get(state)) if state in COLOURS else state


COLOURS: Mapping[str, str] = {
    "done": "green", "passed": "green", "failed": "red", "rejected": "red", "lost": "red",
    "blocked": "yellow", "running": "cyan", "active": "cyan", "judging": "cyan", "stalled": "red",
}  # fmt: skip
