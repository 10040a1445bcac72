"""Connections to the database of tasks: SQLite, MariaDB or MySQL, PostgreSQL.

The names are those of the published interface. Where that takes the text of a query, this takes a
statement of SQLAlchemy, whose values are always bound.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sqlalchemy import URL, CursorResult, Executable, Row, TextClause, exc, inspect, text
from sqlalchemy.orm import Session

from dlg.support.database import Database, DatabaseError, database_url
from dlg_engine.tasks import dumping, migrating
from dlg_engine.tasks.errors import TaskSystemError
from dlg_engine.tasks.settings import Settings, write_settings_file

ENGINES: Mapping[str, str] = {
    "sqlite3": "sqlite",
    "mysql": "mysql",
    "mariadb": "mariadb",
    "postgresql": "postgresql",
}
"""What settings call the engines, and what addresses do."""
MAINTENANCE: Mapping[str, str | None] = {"postgresql": "postgres", "mysql": None, "mariadb": None}
"""The database one is connected to while another is made."""


class DatabaseInterface:
    """A database of tasks, with at most one transaction at a time; `commit` keeps what it did."""

    def __init__(self, url: str | URL, connect: bool = True) -> None:
        self.url = url if isinstance(url, URL) else _parsed(url)
        self._database: Database | None = None
        self._session: Session | None = None
        self._result: CursorResult[Any] | None = None
        if connect:
            self.connect()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.commit()
        self.close()

    def __del__(self) -> None:
        if getattr(self, "_database", None) is not None:
            self.close()

    @property
    def database(self) -> Database:
        """Return what is open; raise TaskSystemError if nothing is."""
        if self._database is None:
            raise TaskSystemError("the database is not open: call connect() first")
        return self._database

    def connect(self) -> None:
        """Open the database; raise DatabaseError if it cannot be."""
        if self._database is None:
            self._database = Database(self.url.render_as_string(hide_password=False))

    def close(self) -> None:
        """Close the connection; what was not committed is undone."""
        if self._session is not None:
            self._session.close()
            self._session = self._result = None
        if self._database is not None:
            self._database.close()
            self._database = None

    def commit(self) -> None:
        """Keep what was done since the last time."""
        if self._session is not None:
            self._session.commit()
            self._session.close()
            self._session = self._result = None

    def create_database(self, initialise_schema: bool = True, replace: bool = False) -> None:
        """Make the database; raise TaskSystemError if there is one that is to stay."""
        self.close()
        if not replace and tables_of(self.url):
            raise TaskSystemError(
                f"{self.url.render_as_string()} exists; it is replaced only if you say so"
            )
        _make_empty(self.url)
        self.connect()
        if initialise_schema:
            migrating.upgrade(self.database)

    def test_database_exists(self) -> bool:
        """Return whether the database is there and has the tables."""
        return migrating.VERSION_TABLE in tables_of(self.url)

    def dump(self, output_filename: str | Path) -> None:
        """Write all that is in the database to a file, compressed; any engine can restore it."""
        self.commit()
        dumping.dump(self.database, Path(output_filename))

    def restore(self, input_filename: str | Path) -> None:
        """Replace the database by what a file has that `dump` wrote."""
        dumping.check(Path(input_filename))  # before anything is lost
        self.create_database(replace=True)
        dumping.restore(self.database, Path(input_filename))

    def parameterised_query(
        self,
        statement: Executable,
        parameters: Mapping[str, Any] | None = None,
        allow_errors: bool = False,
    ) -> None:
        """Execute a statement of SQLAlchemy; with `allow_errors` a constraint may refuse it."""
        self._execute(statement, dict(parameters) if parameters else None, allow_errors)

    def parameterised_query_many(
        self, statement: Executable, parameters: Sequence[Mapping[str, Any]] | None = None
    ) -> None:
        """Execute a statement for each of several sets of values."""
        self._execute(statement, [dict(row) for row in parameters or ()], False)

    def _execute(self, statement: Any, parameters: Any, allow_errors: bool) -> None:
        if isinstance(statement, (str, TextClause)):
            raise TaskSystemError(
                "a query is a statement of SQLAlchemy, such as select(schema.task); "
                "the text of one is not taken"
            )
        if self._session is None:
            self._session = Session(self.database.engine)
        try:
            with self._session.begin_nested():
                result = self._session.execute(statement, parameters)
        except exc.IntegrityError as error:
            if not allow_errors:
                raise TaskSystemError(f"the database refuses this: {error.orig}") from error
            return
        self._result = result if isinstance(result, CursorResult) else None

    def fetchall(self) -> Sequence[Row[Any]]:
        """Return all rows that are left of the last query."""
        return [] if self._result is None else self._result.fetchall()

    def fetchone(self) -> Row[Any] | None:
        """Return the next row of the last query; None if there is none."""
        return None if self._result is None else self._result.fetchone()

    def lastrowid(self) -> int | None:
        """Return the number of the row that was inserted last; None if none was."""
        key = None if self._result is None else self._result.inserted_primary_key
        return None if key is None else int(key[0])

    def make_sql_login_config(self) -> None:
        """Write how to get into this database, for later; only the user may read the file."""
        engine = self.url.get_backend_name().replace("sqlite", "sqlite3")
        fields = {
            "db_engine": engine,
            "db_user": self.url.username,
            "db_passwd": self.url.password,
            "db_host": self.url.host,
            "db_port": self.url.port,
            "db_database": self.url.database,
        }
        known = {key: value for key, value in fields.items() if value is not None}
        write_settings_file(Path(self.sql_login_config_path(engine)), known)

    @staticmethod
    def sql_login_config_path(engine_name: str) -> str:
        """Return where the login for an engine is written to."""
        del engine_name  # one database is in use at a time, whatever its engine
        folder = Settings().settings["localDataPath"]
        return str(Path(folder) / "local_settings_database.conf")


def tables_of(url: URL) -> list[str]:
    """Return the tables in a database, whoever's they are; none where there is no database.

    Raises DatabaseError for a file that is none of SQLite: it is to be left alone.
    """
    is_file = url.get_backend_name() == "sqlite"
    if is_file and not Path(url.database or "").exists():
        return []
    try:
        database = Database(url.render_as_string(hide_password=False))
    except DatabaseError:
        if is_file:
            raise
        return []
    try:
        return inspect(database.engine).get_table_names()
    finally:
        database.close()


def _make_empty(url: URL) -> None:
    name = url.database or ""
    if url.get_backend_name() == "sqlite":
        for suffix in ("", "-wal", "-shm"):
            Path(name + suffix).unlink(missing_ok=True)
        return
    maintenance = MAINTENANCE[url.drivername.split("+")[0]]
    # `set` takes None for what is to stay.
    where = url.set(database=maintenance) if maintenance else url._replace(database=None)
    server = Database(where.render_as_string(hide_password=False))
    try:
        quoted = server.engine.dialect.identifier_preparer.quote(name)
        options = {"isolation_level": "AUTOCOMMIT"}
        with server.engine.connect().execution_options(**options) as connection:
            connection.execute(text(f"DROP DATABASE IF EXISTS {quoted}"))
            kind = "" if server.dialect == "postgresql" else " CHARACTER SET utf8mb4"
            connection.execute(text(f"CREATE DATABASE {quoted}{kind}"))
    finally:
        server.close()


class DatabaseInterfaceMySql(DatabaseInterface):
    """A database of MySQL or MariaDB; what is not said comes from the settings."""

    def __init__(
        self,
        db_user: str | None = None,
        db_passwd: str | None = None,
        db_host: str | None = None,
        db_port: int | None = None,
        db_database: str | None = None,
        connect: bool = True,
    ) -> None:
        login = (db_user, db_passwd, db_host, db_port, db_database)
        super().__init__(_server_database("mysql", *login), connect)


class DatabaseInterfacePostgreSql(DatabaseInterface):
    """A database of PostgreSQL; what is not said comes from the settings."""

    def __init__(
        self,
        db_user: str | None = None,
        db_passwd: str | None = None,
        db_host: str | None = None,
        db_port: int | None = None,
        db_database: str | None = None,
        connect: bool = True,
    ) -> None:
        login = (db_user, db_passwd, db_host, db_port, db_database)
        super().__init__(_server_database("postgresql", *login), connect)


class DatabaseInterfaceSqlite(DatabaseInterface):
    """A file of SQLite; a name without a folder is one of the data of this installation."""

    def __init__(self, db_database: str | None = None, connect: bool = True) -> None:
        super().__init__(URL.create("sqlite", database=sqlite_path(db_database)), connect)


class DatabaseConnector:
    """Makes connections to the database that is named here, or else in the settings."""

    def __init__(
        self,
        db_engine: str | None = None,
        db_user: str | None = None,
        db_passwd: str | None = None,
        db_host: str | None = None,
        db_port: int | None = None,
        db_database: str | None = None,
    ) -> None:
        self.db_engine = db_engine or str(Settings().installation_info["db_engine"])
        if self.db_engine not in ENGINES:
            known = ", ".join(ENGINES)
            raise TaskSystemError(f"db_engine {self.db_engine!r} is not known; known are {known}")
        self._login = (db_user, db_passwd, db_host, db_port, db_database)
        self._opened: list[DatabaseInterface] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for interface in self._opened:
            interface.close()

    def interface(self, connect: bool = True) -> DatabaseInterface:
        """Return a new connection, which is opened at once unless `connect` says no."""
        if self.db_engine == "sqlite3":
            found: DatabaseInterface = DatabaseInterfaceSqlite(self._login[-1], connect)
        else:
            found = DatabaseInterface(_server_database(self.db_engine, *self._login), connect)
        self._opened.append(found)
        return found


def sqlite_path(name: str | None) -> str:
    """Return the file of a database of SQLite by its name or path."""
    settings = Settings()
    name = name or str(settings.installation_info["db_database"])
    if "/" in name:
        return str(Path(name).absolute())
    folder = Path(settings.settings["localDataPath"])
    folder.mkdir(parents=True, exist_ok=True)
    return str(folder / f"sqlite3_{name}.db")


def _server_database(
    engine: str,
    user: str | None,
    password: str | None,
    host: str | None,
    port: int | None,
    name: str | None,
) -> URL:
    info = Settings().installation_info
    found = port if port is not None else info.get("db_port")
    return URL.create(
        ENGINES[engine],
        username=user if user is not None else str(info["db_user"]),
        password=(password if password is not None else str(info["db_passwd"])) or None,
        host=host or str(info["db_host"]),
        port=None if found is None else int(found),
        database=name or str(info["db_database"]),
    )


def _parsed(where: str) -> URL:
    from sqlalchemy.engine import make_url  # noqa: PLC0415  only for those who have an address

    try:
        return make_url(database_url(where))
    except exc.ArgumentError as error:
        raise DatabaseError(f"{where!r} is no address of a database") from error
