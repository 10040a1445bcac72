"""Data of BEAT: files of a cache, which travel as an archive."""

from __future__ import annotations

import io
import itertools
import tarfile
from pathlib import Path
from typing import Any

import pytest

from dlg.beat.cache_files import parts
from dlg.data.beat_output import BeatOutputDROP
from dlg.ddap_protocol import DROPStates
from dlg.exceptions import InvalidDropException
from dlg.testing.data_contract import DropContract

HASHED = "01/fd/de/" + "a" * 58
ENDINGS = ("data", "index", "data.checksum", "index.checksum", "manifest")


class TestBeatOutput(DropContract):
    @pytest.fixture(autouse=True)
    def place(self, tmp_path: Path) -> None:
        self.directory = tmp_path
        self.numbers = itertools.count()

    def make(self, uid: str, **parameters: Any) -> BeatOutputDROP:
        cache = self.directory / str(next(self.numbers))
        return BeatOutputDROP(uid, hash_path=HASHED, cache=str(cache), **parameters)

    def make_whole(self, uid: str = "whole") -> BeatOutputDROP:
        drop = self.make(uid)
        fill(drop, 0, 9)
        drop.setCompleted()
        return drop


def fill(drop: BeatOutputDROP, start: int, end: int) -> None:
    drop.place.parent.mkdir(parents=True, exist_ok=True)
    for ending in ENDINGS:
        file = drop.place.with_name(f"{drop.place.name}.{start}.{end}.{ending}")
        file.write_text(f"{ending} of {start} to {end}")


def output(cache: Path, uid: str = "x") -> BeatOutputDROP:
    return BeatOutputDROP(uid, hash_path=HASHED, cache=str(cache))


def archive(**files: bytes) -> bytes:
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w") as made:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            made.addfile(info, io.BytesIO(content))
    return whole.getvalue()


def test_what_is_read_from_one_and_written_to_another_gives_the_same_files(tmp_path: Path) -> None:
    sent, received = output(tmp_path / "a"), output(tmp_path / "b")
    fill(sent, 0, 4)
    fill(sent, 5, 9)
    sent.setCompleted()
    received.write(sent.contents())
    received.setCompleted()
    for folder in ("a", "b"):
        assert len([f for f in (tmp_path / folder).rglob("*") if f.is_file()]) == 10
    for file in (tmp_path / "a").rglob("*.*"):
        assert (
            tmp_path / "b" / file.relative_to(tmp_path / "a")
        ).read_bytes() == file.read_bytes()


def test_an_archive_of_the_same_files_has_the_same_bytes(tmp_path: Path) -> None:
    first, second = output(tmp_path / "a"), output(tmp_path / "b")
    for drop in (second, first):
        fill(drop, 0, 4)
        drop.setCompleted()
    assert first.contents() == second.contents()


def test_one_slot_stands_for_its_own_parts_only(tmp_path: Path) -> None:
    drop, other = output(tmp_path / "a"), output(tmp_path / "b")
    fill(drop, 0, 4)
    fill(drop, 5, 9)
    drop.consists_of(parts(str(drop.place), 5, 9))
    drop.setCompleted()
    other.write(drop.contents())
    other.setCompleted()
    assert [(part.start, part.end) for part in parts(str(other.place))] == [(5, 9)]


def test_the_index_of_a_set_is_a_file(tmp_path: Path) -> None:
    drops = [BeatOutputDROP("x", hash_path=f"{HASHED}.db", cache=str(tmp_path / n)) for n in "ab"]
    drops[0].place.parent.mkdir(parents=True)
    drops[0].place.write_text("[]")
    drops[0].setCompleted()
    drops[1].write(drops[0].contents())
    drops[1].setCompleted()
    assert drops[1].place.read_text() == "[]"


@pytest.mark.parametrize(
    "name", ["../outside", "/etc/outside", "other.0.9.data", f"{'a' * 58}.0.9.py", f"{'a' * 58}/x"]
)
def test_an_archive_writes_nothing_but_files_of_the_output(tmp_path: Path, name: str) -> None:
    drop = output(tmp_path / "cache")
    drop.write(archive(**{name: b"evil"}))
    drop.setCompleted()
    assert drop.status is DROPStates.ERROR
    assert not [f for f in tmp_path.rglob("*") if f.is_file()]


def test_what_is_no_archive_is_the_failure_of_the_drop(tmp_path: Path) -> None:
    drop = output(tmp_path)
    drop.write(b"no archive at all" * 100)
    drop.setCompleted()
    assert drop.status is DROPStates.ERROR


@pytest.mark.parametrize("path", ["", "../../etc/passwd", "ab/cd/ef/short", f"/{HASHED}"])
def test_a_path_that_is_no_hash_is_refused(tmp_path: Path, path: str) -> None:
    with pytest.raises(InvalidDropException, match="hash_path"):
        BeatOutputDROP("x", hash_path=path, cache=str(tmp_path))
