"""Databases: opened, worked in, and refused with a reason."""

from __future__ import annotations

import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, func, insert, select

from dlg.exceptions import MissingExtraError
from dlg.support.database import Database, DatabaseError, after_commit

METADATA = MetaData()
NUMBERS = Table("numbers", METADATA, Column("n", Integer))


@pytest.fixture
def opened(tmp_path: Path) -> Any:
    found = Database(tmp_path / "a.db")
    found.make_tables(METADATA)
    yield found
    found.close()


def _count(where: Database) -> int:
    with where.reading() as session:
        return int(session.scalar(select(func.count()).select_from(NUMBERS)) or 0)


def test_a_transaction_is_kept_whole_or_not_at_all(opened: Database) -> None:
    with opened.transaction() as session:
        session.execute(insert(NUMBERS).values(n=1))
    with pytest.raises(RuntimeError, match="halfway"), opened.transaction() as session:
        _insert_and_fail(session)
    assert _count(opened) == 1


def _insert_and_fail(session: Any) -> None:
    session.execute(insert(NUMBERS).values(n=2))
    raise RuntimeError("halfway")


def test_who_reads_does_not_wait_for_who_writes(opened: Database) -> None:
    with opened.transaction() as session:
        session.execute(insert(NUMBERS).values(n=1))
        assert _count(opened) == 0
    assert _count(opened) == 1


def test_transactions_that_read_and_then_write_wait_for_each_other(opened: Database) -> None:
    def add() -> None:
        for _ in range(10):
            with opened.transaction() as session:
                found = session.scalar(select(func.count()).select_from(NUMBERS))
                session.execute(insert(NUMBERS).values(n=found))

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    with opened.reading() as session:
        assert sorted(session.scalars(select(NUMBERS.c.n))) == list(range(40))


def test_what_is_to_be_done_after_a_commit_is_not_done_without_one(opened: Database) -> None:
    done: list[str] = []
    with opened.transaction() as session:
        after_commit(session, lambda: done.append("kept"))
    with suppress(RuntimeError), opened.transaction() as session:
        after_commit(session, lambda: done.append("lost"))
        _insert_and_fail(session)
    assert done == ["kept"]
    assert _count(opened) == 0


def test_the_end_of_a_savepoint_is_no_commit(opened: Database) -> None:
    done: list[str] = []
    with suppress(RuntimeError), opened.transaction() as session:
        after_commit(session, lambda: done.append("lost"))
        with session.begin_nested():
            session.execute(insert(NUMBERS).values(n=1))
        _insert_and_fail(session)
    with opened.transaction() as session:
        after_commit(session, lambda: done.append("kept"))
        with session.begin_nested():
            session.execute(insert(NUMBERS).values(n=2))
        assert done == []
    assert done == ["kept"]


@pytest.mark.parametrize(
    ("where", "complaint"),
    [
        ("postgresql://nobody@127.0.0.1:1/none", "cannot be opened"),
        ("nonsense://a/b", "cannot be used"),
        ("://", "is no address of a database"),
        ("sqlite://", "a database in memory cannot be shared"),
        ("/nowhere/at/all/jobs.db", "there is no such directory"),
    ],
)
def test_what_cannot_be_opened_is_refused_with_the_reason(where: str, complaint: str) -> None:
    with pytest.raises(DatabaseError, match=complaint):
        Database(where)


@pytest.mark.parametrize(
    "where", ["postgres://me:hid/d@en@host/x", "nonsense://me:hid/d@en@h", "mysql://me:hid@h:no/x"]
)
def test_a_password_is_not_in_what_is_said_of_an_address(where: str) -> None:
    with pytest.raises(DatabaseError, match=r"\*\*\*") as caught:
        Database(where)
    assert "hid" not in str(caught.value)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("no database" * 1000)
    with pytest.raises(DatabaseError, match="file is not a database"):
        Database(tmp_path / "text.db")


def test_what_is_missing_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(MissingExtraError, match=r"pip install 'dlg\[tasks\]'"):
        Database("jobs.db")
