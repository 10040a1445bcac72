"""The version of the tables of a database: made, brought up to date, compared.

The owner of alembic.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlg.exceptions import MissingExtraError
from dlg.support.database import EXTRA, Database, DatabaseError
from dlg_engine.tasks.schema import METADATA

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy import Connection

VERSION_TABLE = "eas_version"
_LOCK = 0x646C68
"""A number of ours, by which processes that change tables of PostgreSQL wait for each other."""
_LOCK_NAME = "dlg_tasks_migration"
_LOCK_S = 60


def _config(connection: Connection | None = None) -> Config:
    if importlib.util.find_spec("alembic") is None:
        raise MissingExtraError("alembic", EXTRA)
    from alembic.config import Config  # noqa: PLC0415  an optional library

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def newest() -> str:
    """Return the version of the tables that this release works with."""
    from alembic.script import ScriptDirectory  # noqa: PLC0415  an optional library

    found = ScriptDirectory.from_config(_config()).get_current_head()
    return str(found)


def version_of(database: Database) -> str | None:
    """Return the version of the tables in a database; None where there are none."""
    _config()
    from alembic.runtime.migration import (  # noqa: PLC0415  an optional library
        MigrationContext,
    )

    with database.reading() as session:
        options = {"version_table": VERSION_TABLE}
        return MigrationContext.configure(
            session.connection(), opts=options
        ).get_current_revision()


def upgrade(database: Database, version: str = "head") -> None:
    """Make the tables, or bring them to a version; several processes may do so at once."""
    from sqlalchemy import text  # noqa: PLC0415  an optional library

    _config()
    from alembic import command  # noqa: PLC0415  an optional library

    with database.engine.begin() as connection:
        if database.dialect == "postgresql":
            connection.execute(text("select pg_advisory_xact_lock(:n)"), {"n": _LOCK})
        elif database.locks_rows:
            lock = {"name": _LOCK_NAME, "s": _LOCK_S}
            if not connection.scalar(text("select get_lock(:name, :s)"), lock):
                raise DatabaseError(
                    f"the tables are being changed by another process for more than {_LOCK_S} s: "
                    "try again when it is done"
                )
        try:
            command.upgrade(_config(connection), version)
        finally:
            if database.locks_rows and database.dialect != "postgresql":
                connection.execute(text("select release_lock(:name)"), {"name": _LOCK_NAME})


def need_tables(database: Database) -> None:
    """Make the tables of an empty database; raise DatabaseError if they are of another version."""
    found, wanted = version_of(database), newest()
    if found is None:
        upgrade(database)
    elif found != wanted:
        shown = database.engine.url.render_as_string(hide_password=True)
        raise DatabaseError(
            f"{shown}: its tables are of version {found!r}, this release needs {wanted!r}: "
            "bring them up to date with dlg_engine.tasks.migrating.upgrade, or use the release "
            "that made them"
        )


def differences(database: Database) -> list[Any]:
    """Return how the tables in a database differ from those of the schema."""
    _config()
    from alembic.autogenerate import compare_metadata  # noqa: PLC0415  an optional library
    from alembic.runtime.migration import (  # noqa: PLC0415  as above
        MigrationContext,
    )

    with database.engine.connect() as connection:
        options = {"version_table": VERSION_TABLE, "compare_type": True}
        context = MigrationContext.configure(connection, opts=options)
        return list(compare_metadata(context, METADATA))
