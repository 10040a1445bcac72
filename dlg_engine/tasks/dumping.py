"""All that is in a database of tasks as one compressed file, and back, on whichever engine.

A line of JSON each: first what the file is, then for each table its name and columns, then its
rows. Nothing depends on an engine.
"""

from __future__ import annotations

import gzip
import json
import os
import zlib
from collections import deque
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, insert, select, text

from dlg.support.database import Database
from dlg_engine.tasks import migrating
from dlg_engine.tasks.errors import DumpError
from dlg_engine.tasks.schema import METADATA

FORMAT = "dlg-tasks"
READING: dict[str, Any] = {"dlg_reading": True}
_ROWS = 2000
"""How many rows are in memory at once."""


def dump(database: Database, file: Path) -> None:
    """Write what the database has at one moment; the file is there as a whole, or not at all."""
    migrating.need_tables(database)
    hidden = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with gzip.open(hidden, "wt", encoding="utf-8") as stream:
            head = {"format": FORMAT, "version": migrating.newest()}
            stream.write(json.dumps(head) + "\n")
            for line in _lines(database):
                stream.write(json.dumps(line, ensure_ascii=False) + "\n")
            stream.write(json.dumps({"end": True}) + "\n")
        hidden.replace(file)
    finally:
        hidden.unlink(missing_ok=True)


def _lines(database: Database) -> Iterator[Any]:
    # SQLite reads one state anyway, and must not hold up those who write.
    one_state = {"isolation_level": "REPEATABLE READ"} if database.locks_rows else READING
    with database.engine.connect().execution_options(**one_state) as connection:
        for table in METADATA.sorted_tables:
            yield {"table": table.name, "columns": [column.name for column in table.columns]}
            query = select(table).order_by(*table.primary_key.columns)
            for rows in connection.execute(query.execution_options(yield_per=_ROWS)).partitions():
                yield from (list(row) for row in rows)


def check(file: Path) -> None:
    """Raise DumpError unless the file is a whole dump of the tables of this release."""
    last = deque(_read(file), maxlen=1)
    if list(last) != [{"end": True}]:
        raise DumpError(f"{file}: the end is missing: the dump is not whole")


def _read(file: Path) -> Iterator[Any]:
    try:
        with gzip.open(file, "rt", encoding="utf-8") as stream:
            head = json.loads(stream.readline())
            if not isinstance(head, dict) or head.get("format") != FORMAT:
                raise DumpError(f"{file} is no dump of a task database")
            if head["version"] != migrating.newest():
                raise DumpError(
                    f"{file}: its tables are of version {head['version']!r}, this release has "
                    f"{migrating.newest()!r}: restore it with the release that wrote it"
                )
            for line in stream:
                yield json.loads(line)
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise DumpError(f"{file} cannot be read as a dump: {error}") from error


def restore(database: Database, file: Path) -> None:
    """Fill the empty tables of a database from a dump, all in one transaction."""
    lines = _read(file)
    with database.engine.begin() as connection:
        table: Table | None = None
        columns: list[str] = []
        while chunk := list(islice(lines, _ROWS)):
            rows: list[dict[str, Any]] = []
            for line in chunk:
                if isinstance(line, list):
                    rows.append(dict(zip(columns, line, strict=True)))
                    continue
                _fill(connection, table, rows)
                rows = []
                if "table" in line:
                    table, columns = METADATA.tables[line["table"]], line["columns"]
            _fill(connection, table, rows)
        if database.dialect == "postgresql":
            _continue_numbers(connection)


def _fill(connection: Connection, table: Table | None, rows: list[dict[str, Any]]) -> None:
    if table is not None and rows:
        connection.execute(insert(table), rows)


def _continue_numbers(connection: Connection) -> None:
    for table in METADATA.sorted_tables:
        if "id" in table.columns:
            name = table.name  # of our schema
            connection.execute(
                text(
                    f"select setval(pg_get_serial_sequence('{name}', 'id'), "  # noqa: S608
                    f"coalesce((select max(id) from {name}), 1), "
                    f"exists (select 1 from {name}))"
                )
            )
