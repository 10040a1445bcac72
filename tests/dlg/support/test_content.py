"""Hashes of contents: the same however the content comes, another for other content."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from blake3 import blake3
from hypothesis import given
from hypothesis import strategies as st

from dlg.support.content import (
    ContentHasher,
    hash_of,
    hash_of_directory,
    hash_of_file,
    sha256_of_file,
    stamp_of,
)


@given(st.lists(st.binary(max_size=10), max_size=10))
def test_the_pieces_in_which_content_comes_do_not_matter(pieces: list[bytes]) -> None:
    hasher = ContentHasher()
    for piece in pieces:
        hasher.update(piece)
    whole = b"".join(pieces)
    assert hasher.result() == hash_of(whole) == f"blake3:{blake3(whole).hexdigest()}"
    assert hasher.size == len(whole)


def test_arrays_and_views_are_taken_as_their_bytes() -> None:
    numbers = np.arange(10)
    hasher = ContentHasher()
    hasher.update(numbers.data)
    assert (hasher.result(), hasher.size) == (hash_of(numbers.tobytes()), numbers.nbytes)


def test_a_file_has_the_hash_of_its_content(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"content")
    assert hash_of_file(tmp_path / "a") == hash_of(b"content")


def filled(path: Path) -> Path:
    (path / "inner").mkdir(parents=True)
    (path / "inner" / "a").write_bytes(b"1")
    (path / "b").write_bytes(b"2")
    return path


def test_two_directories_of_the_same_content_have_the_same_hash(tmp_path: Path) -> None:
    one, other = filled(tmp_path / "one"), filled(tmp_path / "other")
    assert hash_of_directory(one) == hash_of_directory(other)


@pytest.mark.parametrize("change", ["content", "name", "empty", "link"])
def test_any_change_in_a_directory_changes_its_hash(tmp_path: Path, change: str) -> None:
    path = filled(tmp_path / "one")
    before = hash_of_directory(path)
    if change == "content":
        (path / "inner" / "a").write_bytes(b"2")
    elif change == "name":
        (path / "b").rename(path / "c")
    elif change == "empty":
        (path / "new").mkdir()
    else:
        (path / "l").symlink_to("b")
    assert hash_of_directory(path) != before


def test_the_sha256_of_a_file_is_told_only_if_it_is_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"content")
    assert sha256_of_file(tmp_path / "a", hash_of(b"content")) == (
        "ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73"
    )
    assert not sha256_of_file(tmp_path / "a", hash_of(b"another"))


def test_a_file_that_is_written_again_has_another_stamp(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"content")
    before = stamp_of(tmp_path / "a")
    assert before == stamp_of(tmp_path / "a")
    (tmp_path / "a").write_bytes(b"contents")
    assert before != stamp_of(tmp_path / "a")
    assert stamp_of(tmp_path / "none") is None
