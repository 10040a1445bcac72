from __future__ import annotations

import gzip
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from dlg.exceptions import UsageError
from dlg_translator.formats.files import write_file


def test_a_file_gets_all_pieces(tmp_path: Path) -> None:
    write_file(str(tmp_path / "a.pgt"), [b"one ", b"two"])
    assert (tmp_path / "a.pgt").read_bytes() == b"one two"


def test_the_same_content_is_compressed_to_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.gz", "b.gz"):
        write_file(str(tmp_path / name), [b"one ", b"two"])
    assert gzip.decompress((tmp_path / "a.gz").read_bytes()) == b"one two"
    assert (tmp_path / "a.gz").read_bytes() == (tmp_path / "b.gz").read_bytes()


def test_an_older_file_stays_if_the_content_cannot_be_made(tmp_path: Path) -> None:
    def content() -> Iterator[bytes]:
        yield b"begun"
        raise ZeroDivisionError

    (tmp_path / "a").write_text("older")
    with pytest.raises(ZeroDivisionError):
        write_file(str(tmp_path / "a"), content())
    assert (tmp_path / "a").read_text() == "older"
    assert os.listdir(tmp_path) == ["a"]  # noqa: PTH208  names alone are compared


def test_what_a_link_leads_to_is_replaced_and_not_the_link(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("real")
    write_file(str(tmp_path / "link"), [b"new"])
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"new"


def test_a_pipe_with_a_name_is_written_to(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    write_file(str(pipe), [b"through"])
    reader.join(timeout=10)
    assert read == [b"through"]
    assert pipe.is_fifo()


def test_a_place_that_cannot_be_written_to_is_named(tmp_path: Path) -> None:
    place = str(tmp_path / "no" / "place")
    with pytest.raises(UsageError, match=f"cannot write {place}: No such file"):
        write_file(place, [b""])
