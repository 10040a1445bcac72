from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlg.data.file import FileDROP
from dlg.data.memory import InMemoryDROP
from dlg.exceptions import DropChecksumException
from dlg.support.checksums import crc32c
from dlg_engine.lifecycle.replicas import PIECE, ReplicaStore, place_of


@pytest.fixture
def store(tmp_path: Path) -> ReplicaStore:
    return ReplicaStore(tmp_path / "slow")


def written(place: Path, contents: bytes) -> FileDROP:
    drop = FileDROP("f", filepath=str(place))
    drop.write(contents)
    drop.setCompleted()
    return drop


@pytest.mark.parametrize("size", [0, 1, PIECE, PIECE + 1, 3 * PIECE])
def test_a_copy_has_the_bytes_and_their_sum(
    store: ReplicaStore, tmp_path: Path, size: int
) -> None:
    contents = bytes(range(256)) * (size // 256) + bytes(size % 256)
    replica = store.copy("s", written(tmp_path / "f", contents))
    assert replica.path.read_bytes() == contents
    assert (replica.crc, replica.size) == (crc32c(contents), size)


def test_what_is_in_memory_can_be_copied_too(store: ReplicaStore) -> None:
    drop = InMemoryDROP("m")
    drop.store("text", "utf-8")
    drop.setCompleted()
    assert store.copy("s", drop).path.read_text() == "text"


def test_a_program_that_is_brought_back_can_be_run(store: ReplicaStore, tmp_path: Path) -> None:
    drop = written(tmp_path / "f", b"#!/bin/sh")
    (tmp_path / "f").chmod(0o750)
    replica = store.copy("s", drop)
    (tmp_path / "f").unlink()
    store.restore(replica, drop)
    assert stat.S_IMODE((tmp_path / "f").stat().st_mode) == 0o750


def test_the_directory_of_what_vanished_is_made_again(store: ReplicaStore, tmp_path: Path) -> None:
    drop = written(tmp_path / "deep" / "down" / "f", b"abc")
    replica = store.copy("s", drop)
    (tmp_path / "deep" / "down" / "f").unlink()
    (tmp_path / "deep" / "down").rmdir()
    store.restore(replica, drop)
    assert drop.contents() == b"abc"


def test_what_fails_leaves_nothing_behind(
    store: ReplicaStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise OSError("the disk is full")

    drop = written(tmp_path / "f", b"abc")
    monkeypatch.setattr("dlg_engine.lifecycle.replicas.os.fsync", refuse)
    with pytest.raises(OSError, match="the disk is full"):
        store.copy("s", drop)
    assert not list((tmp_path / "slow" / "s").iterdir())


def test_a_store_that_keeps_something_else_is_found_out(
    store: ReplicaStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop = written(tmp_path / "f", b"abc")
    monkeypatch.setattr("dlg_engine.lifecycle.replicas._sum", lambda _path: 1)
    with pytest.raises(DropChecksumException, match="is not what was copied"):
        store.copy("s", drop)
    assert not list((tmp_path / "slow" / "s").iterdir())


def test_a_changed_replica_does_not_replace_anything(store: ReplicaStore, tmp_path: Path) -> None:
    drop = written(tmp_path / "f", b"abc")
    replica = store.copy("s", drop)
    replica.path.write_bytes(b"xyz")
    with pytest.raises(DropChecksumException, match="has changed since it was made"):
        store.restore(replica, drop)
    assert drop.contents() == b"abc"


@given(st.lists(st.text(min_size=1), unique=True))
def test_no_two_drops_share_a_place_and_none_leaves_it(uids: list[str]) -> None:
    places = [place_of(uid) for uid in uids]
    assert len(set(places)) == len(places)
    assert not any("/" in place or place in {".", ".."} for place in places)
