"""Tests of dlg.support.streams."""

from __future__ import annotations

import gzip
import io
import json
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlg.support.streams import CompressedDataError, ZlibUncompressedStream


class Dribble:
    """A stream that gives a byte at a time."""

    def __init__(self, content: bytes) -> None:
        self._stream = io.BytesIO(content)

    def read(self, size: int, /) -> bytes:
        return self._stream.read(min(size, 1))


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=4), st.integers(1, 400))
def test_members_of_gzip_are_read_as_one_content(parts: list[bytes], size: int) -> None:
    stream = ZlibUncompressedStream(b"".join(map(gzip.compress, parts)))
    read = b"".join(iter(lambda: stream.read(size), b""))
    assert read == b"".join(parts)


@given(st.binary(max_size=300))
def test_zlib_and_streams_that_give_little_at_a_time_work(content: bytes) -> None:
    assert ZlibUncompressedStream(Dribble(zlib.compress(content))).read() == content


def test_it_is_a_file_for_others() -> None:
    packed = gzip.compress(b'{"a": 1}\n{"b": 2}\n')
    assert json.loads(b"[" + ZlibUncompressedStream(packed).readline() + b"]") == [{"a": 1}]
    lines = io.TextIOWrapper(io.BufferedReader(ZlibUncompressedStream(io.BytesIO(packed))))
    assert list(lines) == ['{"a": 1}\n', '{"b": 2}\n']


def test_a_bomb_is_stopped_early() -> None:
    bomb = gzip.compress(bytes(50 << 20))
    with pytest.raises(CompressedDataError, match="beyond the 1000 bytes"):
        ZlibUncompressedStream(bomb, max_bytes=1000).read()


def test_content_of_exactly_the_size_that_is_allowed_passes() -> None:
    assert ZlibUncompressedStream(gzip.compress(bytes(1000)), max_bytes=1000).read() == bytes(1000)


@pytest.mark.parametrize("lost", [1, 8, 100])
def test_content_that_is_cut_off_is_refused(lost: int) -> None:
    packed = gzip.compress(bytes(range(256)) * 100)
    with pytest.raises(CompressedDataError, match="cut off"):
        ZlibUncompressedStream(packed[:-lost]).read()


@pytest.mark.parametrize(
    "content", [b"no gzip at all", gzip.compress(b"a") + b"garbage"], ids=["all", "end"]
)
def test_content_that_is_not_compressed_is_refused(content: bytes) -> None:
    with pytest.raises(CompressedDataError, match="not gzip or zlib"):
        ZlibUncompressedStream(content).read()


def test_nothing_gives_nothing() -> None:
    assert ZlibUncompressedStream(b"").read() == b""
    assert ZlibUncompressedStream(gzip.compress(b"abc")).read(0) == b""
