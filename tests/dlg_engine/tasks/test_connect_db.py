"""Connections, the version of tables, dumps."""

from __future__ import annotations

import gzip
import stat
from pathlib import Path

import pytest
from sqlalchemy import insert, select, text

from dlg import settings
from dlg.support.database import Database, DatabaseError
from dlg_engine.tasks import migrating, schema
from dlg_engine.tasks.connect_db import (
    DatabaseConnector,
    DatabaseInterface,
    DatabaseInterfaceMySql,
    DatabaseInterfacePostgreSql,
    DatabaseInterfaceSqlite,
)
from dlg_engine.tasks.errors import DumpError, TaskSystemError
from dlg_engine.tasks.settings import Settings
from dlg_engine.tasks.task_database import TaskDatabaseConnection
from tests.dlg_engine.tasks.databases import ENGINES, empty_database, some_types


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DLG_ROOT", str(tmp_path))
    assert settings.current().root == tmp_path
    return tmp_path


def test_migrations_make_the_tables_of_the_schema(address: str) -> None:
    database = Database(address)
    assert migrating.version_of(database) is None
    migrating.upgrade(database)
    migrating.upgrade(database)  # changes nothing
    assert migrating.version_of(database) == migrating.newest()
    assert migrating.differences(database) == []
    database.close()


def test_tables_of_another_version_are_refused(tmp_path: Path) -> None:
    database = Database(tmp_path / "tasks.db")
    migrating.upgrade(database)
    with database.engine.begin() as connection:
        connection.execute(text("update eas_version set version_num = 'v999'"))
    database.close()
    with pytest.raises(DatabaseError, match=r"version 'v999'.*migrating\.upgrade"):
        TaskDatabaseConnection(tmp_path, tmp_path / "tasks.db")


def test_statements_are_executed_with_bound_values(address: str) -> None:
    with DatabaseInterface(address) as database:
        database.create_database(replace=True)
        assert database.test_database_exists()
        host = schema.host
        hostile = "x'); drop table eas_worker_host; --"
        database.parameterised_query(insert(host), {"name": hostile})
        assert database.lastrowid() == 1
        database.parameterised_query_many(insert(host), [{"name": "b"}, {"name": "c"}])
        database.commit()
        database.parameterised_query(select(host.c.name).order_by(host.c.id))
        assert database.fetchone() == (hostile,)
        assert [row.name for row in database.fetchall()] == ["b", "c"]


def test_the_text_of_a_query_is_not_taken(tmp_path: Path) -> None:
    with DatabaseInterface(str(tmp_path / "a.db")) as database:
        for query in ("select 1", text("select 1")):
            with pytest.raises(TaskSystemError, match="statement of SQLAlchemy"):
                database.parameterised_query(query)  # type: ignore[arg-type]


def test_an_error_that_is_allowed_leaves_the_transaction_whole(address: str) -> None:
    with DatabaseInterface(address) as database:
        database.create_database(replace=True)
        database.parameterised_query(insert(schema.host), {"name": "a"})
        with pytest.raises(TaskSystemError, match="refuses"):
            database.parameterised_query(insert(schema.host), {"name": "a"})
        database.parameterised_query(insert(schema.host), {"name": "a"}, allow_errors=True)
        database.commit()
        database.parameterised_query(select(schema.host.c.name))
        assert len(database.fetchall()) == 1


def test_a_database_is_replaced_only_if_one_says_so(tmp_path: Path) -> None:
    with DatabaseInterface(str(tmp_path / "a.db")) as database:
        assert not database.test_database_exists()
        database.create_database()
        with pytest.raises(TaskSystemError, match="exists"):
            database.create_database()


def test_a_database_that_has_tables_of_others_is_not_made_anew(tmp_path: Path) -> None:
    other = Database(tmp_path / "a.db")
    with other.engine.begin() as connection:
        connection.execute(text("create table stars (name text)"))
    other.close()
    with DatabaseInterface(str(tmp_path / "a.db")) as database:
        assert not database.test_database_exists()
        with pytest.raises(TaskSystemError, match="exists"):
            database.create_database()


def test_a_dump_that_was_damaged_is_refused_before_anything_is_lost(tmp_path: Path) -> None:
    with DatabaseInterface(str(tmp_path / "a.db")) as database:
        database.create_database()
        database.dump(tmp_path / "dump.gz")
        whole = (tmp_path / "dump.gz").read_bytes()
        (tmp_path / "dump.gz").write_bytes(whole[:40] + b"\xff" * 20 + whole[60:])
        with pytest.raises(DumpError, match="cannot be read"):
            database.restore(tmp_path / "dump.gz")
        assert database.test_database_exists()


def test_what_was_not_committed_is_undone(tmp_path: Path) -> None:
    database = DatabaseInterface(str(tmp_path / "a.db"))
    database.create_database()
    database.parameterised_query(insert(schema.host), {"name": "a"})
    database.close()
    database.connect()
    database.parameterised_query(select(schema.host))
    assert database.fetchall() == []
    database.close()
    with pytest.raises(TaskSystemError, match="connect"):
        database.parameterised_query(select(schema.host))


def test_the_connector_makes_what_the_settings_say(home: Path) -> None:
    with DatabaseConnector() as connector:
        interface = connector.interface()
        assert interface.url.database == f"{home}/tasks/data/datadir_local/sqlite3_eas.db"
        assert not interface.test_database_exists()
    with pytest.raises(TaskSystemError, match="known are"):
        DatabaseConnector("oracle")


def test_a_login_is_kept_in_a_file_that_only_the_user_reads(home: Path) -> None:
    interface = DatabaseInterfaceMySql("me", "123", "db.example", 3307, "stars", connect=False)
    interface.make_sql_login_config()
    file = Path(interface.sql_login_config_path("mysql"))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert Settings().installation_info["db_passwd"] == "123"
    again = DatabaseConnector().interface(connect=False)
    assert again.url == interface.url.set(drivername="mysql")
    assert str(DatabaseInterfacePostgreSql(connect=False).url).startswith("postgresql://me:")


def test_a_file_of_sqlite_may_be_named_by_its_path(home: Path) -> None:
    interface = DatabaseInterfaceSqlite(str(home / "here.db"))
    assert Path(interface.url.database or "") == home / "here.db"
    interface.close()


def _fill(url: str, store: Path) -> None:
    with TaskDatabaseConnection(store, url) as tasks:
        tasks.task_type_list_to_db(some_types())
        parent = tasks.task_register(task_type="null", metadata={"a": [1, 2.5, None, "ü🚀"]})
        child = tasks.task_register(task_type="make", parent_id=parent, working_directory="x")
        product = tasks.file_product_register(child, "x", "a.txt", "lc")
        attempt = tasks.execution_attempt_register(
            child, metadata={"nan": float("nan"), "b": True}
        )
        tasks.execution_attempt_update(attempt, is_running=True)
        (store / "in.txt").write_text("data")
        tasks.file_version_register(product, attempt, store / "in.txt")


def _all(url: str) -> dict[str, list[tuple[object, ...]]]:
    database = Database(url)
    with database.reading() as session:
        found = {
            table.name: [
                tuple(row)
                for row in session.execute(select(table).order_by(*table.primary_key.columns))
            ]
            for table in schema.METADATA.sorted_tables
        }
    database.close()
    return found


@pytest.mark.parametrize("source", ENGINES)
@pytest.mark.parametrize("target", ENGINES)
def test_a_dump_is_restored_on_any_engine(source: str, target: str, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    dump = tmp_path / "dump.gz"
    with (
        empty_database(source, tmp_path / "a") as first,
        empty_database(target, tmp_path / "b") as second,
    ):
        _fill(first, tmp_path)
        with DatabaseInterface(first) as database:
            database.dump(dump)
        with DatabaseInterface(second) as database:
            database.restore(dump)
        before = _all(first)
        assert len(before["eas_task_metadata"]) == 1
        assert len(before["eas_product_version"]) == 1
        assert _all(second) == before
        with TaskDatabaseConnection(tmp_path, second) as tasks:  # numbers go on
            highest = max(row[0] for row in before["eas_task"])  # type: ignore[type-var]
            assert tasks.task_register(task_type="null") > highest  # type: ignore[operator]


def test_half_a_dump_destroys_nothing(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'a.db'}"
    _fill(url, tmp_path)
    before, dump = _all(url), tmp_path / "dump.gz"
    with DatabaseInterface(url) as database:
        database.dump(dump)
        whole = gzip.decompress(dump.read_bytes())
        cut = gzip.compress(whole[: whole.rindex(b"\n", 0, -1)])
        for content in (cut, dump.read_bytes()[:-20], b"nothing", gzip.compress(b"[1]\n")):
            (tmp_path / "bad.gz").write_bytes(content)
            with pytest.raises(DumpError):
                database.restore(tmp_path / "bad.gz")
    assert _all(url) == before
