"""Databases over SQLAlchemy: one way to open one and to work in it, whoever has the tables.

SQLite is opened with a write-ahead log, so that readers never wait for a writer, and a transaction
that may write takes the only lock there is at its beginning: one that read first and wrote then
could be refused in the middle. Other databases lock rows; `Database.locks_rows` tells which kind
one is.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlg.exceptions import MissingExtraError, UsageError

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine, MetaData
    from sqlalchemy.orm import Session

EXTRA = "tasks"
"""The extra that brings SQLAlchemy."""
BUSY_MS = 60_000
"""How long one waits for the lock of an SQLite file."""
DRIVERS: Mapping[str, tuple[str, str, str]] = {
    "postgresql": ("postgresql+psycopg", "psycopg", "postgres"),
    "mysql": ("mysql+pymysql", "pymysql", "mysql"),
    "mariadb": ("mariadb+pymysql", "pymysql", "mysql"),
}
"""For a kind of database: with which driver it is used, its module and the extra that has it."""
_COLLISIONS = frozenset({1205, 1213, "40001", "40P01"})
"""What MySQL and PostgreSQL call deadlocks and the like."""
_GONE = frozenset({1053, 1927, 2002, 2003, 2006, 2013, 2014, 2055})
"""What MySQL says when it cannot be reached, or ends."""
_ENDING = ("08", "57P0")
"""How the codes begin by which PostgreSQL says so."""
_LOGIN = re.compile(r"//.*@")
"""User and password in an address, which nobody else is shown."""
_READING = "dlg_reading"
_TABLES_LOCK = 0x646C67
"""A number of ours, by which processes that make tables wait for each other."""


class DatabaseError(UsageError):
    """A database cannot be used as it was named."""


def need_sqlalchemy() -> None:
    """Raise MissingExtraError if SQLAlchemy is not installed."""
    if importlib.util.find_spec("sqlalchemy") is None:
        raise MissingExtraError("SQLAlchemy", EXTRA)


def database_url(text: str | Path) -> str:
    """Return `text` as an address: a path is one of an SQLite file."""
    return (
        text if isinstance(text, str) and "://" in text else f"sqlite:///{Path(text).absolute()}"
    )


class Database:
    """An open database. Raises UsageError if it cannot be opened."""

    def __init__(self, where: str | Path) -> None:
        """Open the database at an address such as `postgresql://user@host/name`, or a path."""
        need_sqlalchemy()
        from sqlalchemy.orm import sessionmaker  # noqa: PLC0415  an optional library

        self.engine = make_engine(database_url(where))
        self.dialect: str = self.engine.dialect.name
        # Objects stay usable when their transaction is over: that is what helpers hand out.
        self._sessions = sessionmaker(self.engine, expire_on_commit=False)

    @property
    def locks_rows(self) -> bool:
        """Return whether it locks rows; if not, a transaction has the whole database."""
        return self.dialect != "sqlite"

    @property
    def file(self) -> Path | None:
        """Return the file of an SQLite database; None for others."""
        name = self.engine.url.database
        return Path(name) if self.dialect == "sqlite" and name else None

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """Work in one transaction: all of it is kept, or nothing if an error is raised."""
        with self._sessions() as session, session.begin():
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Look at one state of the database, without holding up those who write."""
        with self._sessions() as session:
            session.connection(execution_options={_READING: True})
            yield session
            session.expunge_all()  # what was read stays as it is
            session.rollback()

    def make_tables(self, metadata: MetaData) -> None:
        """Make those tables that are not there; several processes may do so at once."""
        from sqlalchemy import text  # noqa: PLC0415  an optional library

        with self.engine.begin() as connection:
            if self.dialect == "postgresql":
                connection.execute(text("select pg_advisory_xact_lock(:n)"), {"n": _TABLES_LOCK})
            metadata.create_all(connection)

    def close(self) -> None:
        """Let go of all connections."""
        self.engine.dispose()


def make_engine(url: str) -> Engine:
    """Return an engine for the database at `url`; raise UsageError if there can be none."""
    from sqlalchemy import create_engine, event, exc  # noqa: PLC0415  an optional library
    from sqlalchemy.engine import make_url  # noqa: PLC0415  as above

    try:
        parsed = make_url(url)
    except (exc.ArgumentError, ValueError):
        shown = _LOGIN.sub("//***@", url)
        raise DatabaseError(
            f"{shown!r} is no address of a database; one looks like postgresql://user@host/name, "
            "or is the path of a file"
        ) from None  # some releases quote all of it
    shown = parsed.render_as_string(hide_password=True)
    if parsed.drivername in DRIVERS:
        drivername, module, extra = DRIVERS[parsed.drivername]
        if importlib.util.find_spec(module) is None:
            raise MissingExtraError(module, extra)
        parsed = parsed.set(drivername=drivername)
    if parsed.get_backend_name() == "sqlite":
        _check_folder(Path(parsed.database or ""))
    try:
        options: dict[str, Any] = {}
        if parsed.get_backend_name() in {"mysql", "mariadb"}:
            # By default they lock gaps between rows, and those who work side by side collide.
            options["isolation_level"] = "READ COMMITTED"
        engine = create_engine(parsed, pool_pre_ping=True, **options)
    except (exc.ArgumentError, ModuleNotFoundError) as error:
        raise DatabaseError(f"{shown!r} cannot be used: {error}") from error
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    _try(engine, parsed.render_as_string(hide_password=True))
    return engine


def _check_folder(file: Path) -> None:
    if not file.name:
        raise DatabaseError("a database in memory cannot be shared: name a file")
    if not file.parent.is_dir():
        raise DatabaseError(f"{file.parent}: there is no such directory for a database")


def _try(engine: Engine, shown: str) -> None:
    from sqlalchemy import exc  # noqa: PLC0415  an optional library

    try:
        with engine.connect():
            pass
    except exc.DBAPIError as error:
        engine.dispose()
        raise DatabaseError(f"{shown}: cannot be opened: {error.orig}") from error


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # the driver would begin transactions when it sees fit
    for pragma in (
        f"busy_timeout={BUSY_MS}",
        "journal_mode=WAL",
        # With a log this loses nothing when a process dies; a power cut may take the last commits.
        "synchronous=NORMAL",
        "foreign_keys=ON",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    reading = connection.get_execution_options().get(_READING, False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def is_collision(error: BaseException) -> bool:
    """Return whether a transaction was ended for the sake of another one: it may be repeated."""
    cause = getattr(error, "orig", None)
    number = cause.args[0] if cause is not None and cause.args else None
    return number in _COLLISIONS or getattr(cause, "sqlstate", None) in _COLLISIONS


def is_lost_connection(error: BaseException) -> bool:
    """Return whether a server ends, is being started, or cannot be reached.

    Whether what was being committed is kept is then unknown.
    """
    from sqlalchemy import exc  # noqa: PLC0415  an optional library

    if isinstance(error, exc.DBAPIError):
        if error.connection_invalidated:
            return True
        cause: BaseException | None = error.orig
    else:  # of a driver, where it is used without SQLAlchemy
        cause = error
    module = type(cause).__module__.partition(".")[0]
    if module == "psycopg":
        state = getattr(cause, "sqlstate", None)
        # One that could not be made at all has no code, only words.
        return (
            type(cause).__name__ == "OperationalError"
            if state is None
            else (state.startswith(_ENDING))
        )
    number = cause.args[0] if cause is not None and cause.args else None
    return module == "pymysql" and number in _GONE


def after_commit(session: Session, do: Callable[[], None]) -> None:
    """Call `do` once `session` has committed; never if it does not."""
    from sqlalchemy import event  # noqa: PLC0415  an optional library

    called = False

    def committed(session: Session) -> None:
        nonlocal called
        # That a savepoint is over is told too, and all of it may still be undone.
        if not called and not session.in_nested_transaction():
            called = True
            do()

    event.listen(session, "after_commit", committed)
