"""The hash of a file, taken while it is written."""

from __future__ import annotations

import gc
import os
import tempfile
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlg.data.file import FileDROP
from dlg.data.memory import InMemoryDROP
from dlg.drops import hashing
from dlg.drops.hashing import hash_written
from dlg.support.content import hash_of, hash_of_file


def hashed(path: Path) -> FileDROP:
    """Return a file drop of which somebody wants the hash."""
    drop = FileDROP("f", "f", filepath=str(path))
    hash_written(drop._graph, [drop._row])
    return drop


def threads() -> list[threading.Thread]:
    return [one for one in threading.enumerate() if one.name == "dlg-hash"]


@settings(deadline=None)
@given(st.lists(st.binary(max_size=40), max_size=30))
def test_the_hash_is_that_of_the_whole_file(pieces: list[bytes]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hashing, "BATCH", 20)
        patch.setattr(hashing, "BIG", 100)
        patch.setattr(hashing, "LARGE", 10)
        path = Path(tempfile.mkdtemp()) / "f"
        drop = hashed(path)
        for piece in pieces:
            drop.write(piece)
        drop.setCompleted()
        assert drop.known_hash == (hash_of(b"".join(pieces)) if pieces else None)
        path.unlink()
        path.parent.rmdir()


@pytest.mark.parametrize("size", [1, 4096, 1 << 20])
def test_a_big_stream_is_hashed_by_a_thread_that_ends_with_it(tmp_path: Path, size: int) -> None:
    drop = hashed(tmp_path / "f")
    for number in range((12 << 20) // size if size > 1 else 1000):
        drop.write(bytes([number % 251]) * size)
    drop.setCompleted()
    assert drop.known_hash == hash_of_file(tmp_path / "f")
    assert not threads()


def test_a_buffer_may_be_used_again_at_once(tmp_path: Path) -> None:
    drop, buffer = hashed(tmp_path / "f"), bytearray(1 << 18)
    for number in range(40):
        buffer[:] = bytes([number]) * len(buffer)
        drop.write(memoryview(buffer) if number % 2 else buffer)
    drop.setCompleted()
    assert drop.known_hash == hash_of_file(tmp_path / "f")


def test_a_file_that_was_changed_since_has_no_known_hash(tmp_path: Path) -> None:
    drop = hashed(tmp_path / "f")
    drop.write(b"content")
    drop.setCompleted()
    found = [drop.known_hash]
    (tmp_path / "f").write_bytes(b"another content")
    found.append(drop.known_hash)
    (tmp_path / "f").unlink()
    found.append(drop.known_hash)
    assert found == [hash_of(b"content"), None, None]


def test_what_was_taken_back_is_not_in_the_hash(tmp_path: Path) -> None:
    drop = hashed(tmp_path / "f")
    drop.write(b"wrong")
    assert drop.take_back()
    assert drop.known_hash is None
    drop.write(b"right")
    drop.setCompleted()
    assert drop.known_hash == hash_of(b"right") == hash_of_file(tmp_path / "f")


def test_a_drop_that_is_never_closed_leaves_no_thread(tmp_path: Path) -> None:
    drop = hashed(tmp_path / "f")
    for _ in range(8):
        drop.write(bytes(1 << 20))
    (thread,) = threads()
    _abandon(drop)
    thread.join(30)
    assert not thread.is_alive()


def _abandon(drop: FileDROP) -> None:
    """Let a drop go as a session does that was given up."""
    writer = drop._writer
    assert isinstance(writer, hashing.HashingIO)
    writer._inner.close()
    del writer
    drop._writer = None
    gc.collect()


def test_nothing_is_hashed_unless_somebody_wants_it(tmp_path: Path) -> None:
    drop = FileDROP("f", "f", filepath=str(tmp_path / "f"))
    drop.write(b"content")
    assert drop._graph.hashes is None
    assert not isinstance(drop._writer, hashing.HashingIO)
    drop.setCompleted()
    assert drop.known_hash is None


def test_memory_is_not_hashed_while_it_is_written() -> None:
    drop = InMemoryDROP("m", "m")
    hash_written(drop._graph, [drop._row])
    drop.write(b"content")
    drop.setCompleted()
    assert drop.known_hash is None


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_full_disk_is_told_and_leaves_no_thread_and_no_hash() -> None:
    drop = hashed(Path("/dev/full"))
    with pytest.raises(OSError, match="No space left"):
        drop.write(bytes(1 << 20))
    drop.setCompleted()
    assert drop.known_hash is None
    assert not threads()
    assert os.path.exists("/dev/full")  # noqa: PTH110  nobody has deleted it
