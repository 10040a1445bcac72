"""The journal: what is in it after it was broken off anywhere."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlg.exceptions import RunError, UsageError
from dlg_engine.recovery.journal import (
    Began,
    Done,
    Failed,
    Journal,
    JournalInUseError,
    Kept,
    Told,
    read_journal,
    records_in,
)

RECORDS: list[Told] = [
    Began(3, (4,)),
    Done(3, (Kept(4, 2, "value", 5, 7, b"\x80\x05N.", "pickle"),), ((1, 6),)),
    Failed(8, "ValueError('no such star')"),
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "session" / ".run" / "journal"


@pytest.fixture
def journal(path: Path) -> Iterator[Journal]:
    path.parent.mkdir(parents=True)
    found = Journal(path)
    yield found
    found.close()


def test_what_was_written_is_read(journal: Journal, path: Path) -> None:
    for record in RECORDS:
        journal.append(record)
    assert read_journal(path) == RECORDS  # while it is still open


def test_one_process_writes_at_a_time(journal: Journal, path: Path) -> None:
    with pytest.raises(JournalInUseError, match=f"another process: {path.parent.parent}"):
        Journal(path)


def test_what_comes_after_the_end_is_not_written(path: Path) -> None:
    path.parent.mkdir(parents=True)
    journal = Journal(path)
    journal.close()
    journal.append(RECORDS[0])
    assert read_journal(path) == []


def test_a_file_that_is_something_else_is_refused(path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.write_text("my own notes, which nobody is to overwrite")
    with pytest.raises(UsageError, match="is no journal"):
        Journal(path)
    assert path.read_text().startswith("my own notes")


def written(tmp: Path) -> bytes:
    journal = Journal(tmp)
    for record in RECORDS:
        journal.append(record)
    journal.close()
    return tmp.read_bytes()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return written(tmp_path_factory.mktemp("journal") / "journal")


@given(st.data())
def test_the_beginning_of_a_journal_tells_what_was_whole(
    whole: bytes, data: st.DataObject
) -> None:
    length = data.draw(st.integers(0, len(whole)))
    found, end = records_in(whole[:length], Path("journal"))
    assert found == RECORDS[: len(found)]
    assert end <= length
    again, _ = records_in(whole[:end], Path("journal"))
    assert again == found


@given(st.data())
def test_a_changed_byte_ends_what_is_believed(whole: bytes, data: st.DataObject) -> None:
    first = len(b"dlg-journal-1\n")
    place = data.draw(st.integers(first, len(whole) - 1))
    changed = bytearray(whole)
    changed[place] ^= data.draw(st.integers(1, 255))
    found, end = records_in(bytes(changed), Path("journal"))
    assert found == RECORDS[: len(found)]
    assert len(found) < len(RECORDS)
    assert end <= place


def test_what_was_torn_is_cut_off_before_more_is_written(tmp_path: Path, whole: bytes) -> None:
    path = tmp_path / "journal"
    path.write_bytes(whole[:-3])
    journal = Journal(path)
    assert journal.records == RECORDS[:2]
    journal.append(RECORDS[0])
    journal.close()
    assert read_journal(path) == [*RECORDS[:2], RECORDS[0]]


def test_a_full_disk_is_an_error_that_hides_nothing_written_before(
    journal: Journal, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal.append(RECORDS[0])
    write = os.write

    def half(descriptor: int, data: bytes) -> int:
        if len(data) < 5:
            raise OSError(28, "No space left on device")
        return write(descriptor, data[:-4])

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", half)
        with pytest.raises(RunError, match="No space left"):
            journal.append(RECORDS[1])
    journal.append(RECORDS[2])
    assert read_journal(path) == [RECORDS[0], RECORDS[2]]
