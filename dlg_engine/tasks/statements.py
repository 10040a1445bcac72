"""What engines say differently: many rows with their numbers, names on demand, upserts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import Table, exc, insert, select, text
from sqlalchemy.dialects import mysql, postgresql, sqlite
from sqlalchemy.orm import Session

from dlg.support.database import is_collision

T = TypeVar("T")
MOST_COLLISIONS = 20
"""How often a transaction is repeated that the database has ended for the sake of another."""
MANY = 50
"""From how many rows on another way of inserting them is worth its preparations."""
CHUNK = 500
"""How many values one `IN` has at most, and how many rows are read at once."""


def dialect_of(session: Session) -> str:
    """Return the name of the engine of a session; MariaDB counts as MySQL."""
    name: str = session.get_bind().dialect.name
    return "mysql" if name == "mariadb" else name


def chunks(values: Iterable[T], size: int = CHUNK) -> Iterator[list[T]]:
    """Yield the values, so many at a time."""
    rest = iter(values)
    while chunk := list(islice(rest, size)):
        yield chunk


def repeated(do: Callable[[], T]) -> T:
    """Return what a transaction returns; it is repeated if it was ended for another one's sake."""
    for _ in range(MOST_COLLISIONS):
        try:
            return do()
        except exc.DBAPIError as error:
            if not is_collision(error):
                raise
    return do()


def insert_rows(
    session: Session, table: Table, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]
) -> None:
    """Insert many rows as fast as the driver can; names are those of our schema."""
    if not rows:
        return
    if len(rows) >= MANY and dialect_of(session) == "postgresql":
        _copy_rows(session, table, columns, rows)
        return
    mark = "?" if dialect_of(session) == "sqlite" else "%s"
    marks = ", ".join([mark] * len(columns))
    query = f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608
    session.connection().exec_driver_sql(query, list(rows))


def _copy_rows(
    session: Session, table: Table, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]
) -> None:
    """Insert rows by PostgreSQL's COPY, several times as fast as any INSERT."""
    connection = session.connection()
    dialect: Any = connection.dialect
    driver: Any = connection.connection.driver_connection
    query = f"COPY {table.name} ({', '.join(columns)}) FROM STDIN"
    try:
        with driver.cursor() as cursor, cursor.copy(query) as copy:
            for row in rows:
                copy.write_row(row)
    except dialect.dbapi.Error as error:  # as everybody here knows it
        known = exc.DBAPIError.instance(query, None, error, dialect.dbapi.Error, dialect=dialect)
        raise known from error


def insert_numbered(
    session: Session, table: Table, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]
) -> list[int]:
    """Insert many rows, and return their numbers in the same order."""
    if not rows:
        return []
    if dialect_of(session) == "sqlite":
        # Nobody else writes meanwhile: a transaction has the only lock from its beginning.
        query = text("SELECT seq FROM sqlite_sequence WHERE name = :name")
        first = int(session.scalar(query, {"name": table.name}) or 0) + 1
        numbers = list(range(first, first + len(rows)))
        numbered = [(number, *row) for number, row in zip(numbers, rows, strict=True)]
        insert_rows(session, table, ("id", *columns), numbered)
        return numbers
    if len(rows) >= MANY and dialect_of(session) == "postgresql":
        query = text(
            "SELECT nextval(pg_get_serial_sequence(:name, 'id')) FROM generate_series(1, :n)"
        )
        numbers = [
            int(one) for one in session.scalars(query, {"name": table.name, "n": len(rows)})
        ]
        numbered = [(number, *row) for number, row in zip(numbers, rows, strict=True)]
        _copy_rows(session, table, ("id", *columns), numbered)
        return numbers
    values = [dict(zip(columns, row, strict=True)) for row in rows]
    if session.get_bind().dialect.insert_executemany_returning_sort_by_parameter_order:
        made = insert(table).returning(table.c.id, sort_by_parameter_order=True)
        return [int(number) for number in session.scalars(made, values)]
    return [_last_number(session.execute(insert(table), value)) for value in values]


def _last_number(result: Any) -> int:
    return int(result.inserted_primary_key[0])


def upsert(
    session: Session, table: Table, rows: Sequence[Mapping[str, Any]], changed: Sequence[str]
) -> None:
    """Insert rows; where one with the same key exists, change the columns `changed` of it."""
    if not rows:
        return
    kind = dialect_of(session)
    values = [dict(row) for row in rows]
    if kind == "mysql":
        statement = mysql.insert(table)
        new = {name: statement.inserted[name] for name in changed}
        session.execute(statement.on_duplicate_key_update(new), values)
        return
    make = sqlite.insert if kind == "sqlite" else postgresql.insert
    made = make(table)
    keys = list(table.primary_key.columns)
    new = {name: made.excluded[name] for name in changed}
    session.execute(made.on_conflict_do_update(index_elements=keys, set_=new), values)


def ids_of(session: Session, table: Table, names: Iterable[str]) -> dict[str, int]:
    """Return the numbers of names; those that are new are made."""
    known: dict[str, int] = session.info.setdefault(f"ids of {table.name}", {})
    wanted = {name for name in names if name not in known}
    if wanted:
        known |= _found(session, table, wanted)
        missing = sorted(wanted - known.keys())  # in one order, or two could wait for each other
        if missing:
            _insert_names(session, table, missing)
            known |= _found(session, table, missing, newest=True)
    return known


def _found(
    session: Session, table: Table, names: Iterable[str], newest: bool = False
) -> dict[str, int]:
    found: dict[str, int] = {}
    for chunk in chunks(names):
        query = select(table.c.name, table.c.id).where(table.c.name.in_(chunk))
        if newest and dialect_of(session) == "mysql":
            query = query.with_for_update(read=True)  # others may have made it after we began
        found |= dict(session.execute(query).all())
    return found


def _insert_names(session: Session, table: Table, names: Sequence[str]) -> None:
    rows = [{"name": name} for name in names]
    kind = dialect_of(session)
    if kind == "mysql":
        session.execute(mysql.insert(table).prefix_with("IGNORE"), rows)
        return
    make = sqlite.insert if kind == "sqlite" else postgresql.insert
    session.execute(make(table).on_conflict_do_nothing(), rows)
