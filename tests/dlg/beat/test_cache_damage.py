"""Files of a cache that are lost, cut, changed, or lie."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlg.beat.baseformat import CorruptDataError
from dlg.beat.cache_files import (
    CacheError,
    load_data_index,
    load_data_index_db,
    part_of,
    parts,
    read_manifest,
)
from dlg.beat.cached_source import CachedDataSource
from dlg.exceptions import InvalidPath, RunError
from tests.dlg.beat.caches import Prefix


@pytest.fixture
def prefix(tmp_path: Path) -> Prefix:
    return Prefix(tmp_path)


def _read(prefix: Prefix, *limits: Any) -> list[Any]:
    source = CachedDataSource()
    assert source.setup(prefix.path, str(prefix.root), *limits)
    return [getattr(data, "value", data) for data, _, _ in source]


def _lose(prefix: Prefix, start: int, end: int) -> None:
    for file in prefix.folder.glob(f"x.{start}.{end}.*"):
        file.unlink()


def _replace(prefix: Prefix, ending: str, content: bytes) -> None:
    """Give a file other content, of which its checksum knows."""
    file = prefix.folder / f"x.0.4.{ending}"
    file.write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    file.with_name(f"{file.name}.checksum").write_text(digest)
    file.with_name("x.0.4.manifest").unlink(missing_ok=True)


def test_a_part_that_is_lost_between_others_is_noticed(prefix: Prefix) -> None:
    prefix.numbers((0, 2), (3, 4), (5, 6), (7, 8))
    _lose(prefix, 3, 4)
    with pytest.raises(CacheError, match="data indices 3 to 4 are lost"):
        _read(prefix)
    with pytest.raises(CacheError, match="3 to 4"):
        load_data_index(str(prefix.folder), "x")
    assert _read(prefix, 5, 8) == [5, 6, 7, 8]


@pytest.mark.parametrize("lost", [(0, 2), (6, 8)])
def test_the_first_and_the_last_part_are_missed_too(prefix: Prefix, lost: tuple[int, int]) -> None:
    prefix.numbers((0, 2), (3, 5), (6, 8), whole=(0, 8))
    assert len(_read(prefix)) == 9
    _lose(prefix, *lost)
    with pytest.raises(CacheError, match="part is lost"):
        _read(prefix)
    assert _read(prefix, 3, 5) == [3, 4, 5]


def _copy(prefix: Prefix, *others: tuple[int, int]) -> None:
    """Put parts of other divisions there, as somebody who stopped half way left them."""
    for start, end in others:
        other = Prefix(prefix.root / f"{start}-{end}")
        other.numbers((start, end), whole=(0, 8))
        for file in other.folder.iterdir():
            file.rename(prefix.folder / file.name)


@pytest.mark.parametrize("others", [[(0, 2)], [(3, 5)], [(2, 8)], [(0, 1), (4, 6), (7, 8)]])
def test_parts_that_others_make_up_for_are_left_out(prefix: Prefix, others: Any) -> None:
    prefix.numbers((0, 4), (5, 8))
    _copy(prefix, *others)
    assert _read(prefix) == list(range(9))
    assert load_data_index(str(prefix.folder), "x") == list(range(10))


def test_parts_that_overlap_without_covering_all_are_refused(prefix: Prefix) -> None:
    prefix.numbers((0, 4))
    _copy(prefix, (3, 8))
    with pytest.raises(CacheError, match="overlap, and some are lost"):
        _read(prefix)


def test_a_newer_division_replaces_an_older_one(prefix: Prefix) -> None:
    prefix.numbers((0, 2), (3, 8))
    prefix.write(0, 8, [(i, i, {"value": -i}) for i in range(9)])
    assert _read(prefix) == [-i for i in range(9)]
    assert len(prefix.files()) == 4
    prefix.numbers((0, 4), (5, 8))
    assert _read(prefix) == list(range(9))
    assert [(part.start, part.end) for part in parts(prefix.path)] == [(0, 4), (5, 8)]


def test_parts_of_several_formats_are_refused(prefix: Prefix) -> None:
    prefix.numbers((0, 4))
    prefix.numbers((5, 6), dataformat=prefix.format({"value": "int32"}, "u/g/1"))
    with pytest.raises(CacheError, match="u/g/1"):
        _read(prefix)


@pytest.mark.parametrize("ending", ["data.checksum", "index.checksum", "index"])
def test_a_part_without_all_its_files_is_not_whole(prefix: Prefix, ending: str) -> None:
    prefix.numbers((0, 4))
    (prefix.folder / f"x.0.4.{ending}").unlink()
    with pytest.raises(CacheError):
        _read(prefix)


def test_the_checksum_of_an_index_is_not_needed_where_nobody_promised_it(prefix: Prefix) -> None:
    prefix.numbers((0, 4))
    for ending in ("manifest", "index", "index.checksum"):
        (prefix.folder / f"x.0.4.{ending}").unlink()
    assert len(_read(prefix)) == 5


def test_every_changed_byte_is_noticed(prefix: Prefix) -> None:
    prefix.numbers((0, 4))
    for ending in ("data", "index"):
        file = prefix.folder / f"x.0.4.{ending}"
        good = file.read_bytes()
        file.write_bytes(good[:-2] + b"x\n")
        with pytest.raises(CacheError, match="not what its checksum says"):
            _read(prefix) if ending == "data" else load_data_index(str(prefix.folder), "x")
        file.write_bytes(good)


def test_a_writer_that_died_between_two_calls_left_nothing_that_counts(prefix: Prefix) -> None:
    prefix.numbers((0, 4))
    (prefix.folder / "x.0.4.manifest").write_bytes(b"")
    assert len(_read(prefix)) == 5
    (prefix.folder / "x.0.4.data.checksum").write_bytes(b"")
    with pytest.raises(CacheError, match="not written to its end"):
        _read(prefix)


@pytest.mark.parametrize("content", [b"abc", b"z" * 64])
def test_a_checksum_that_is_none_is_refused(prefix: Prefix, content: bytes) -> None:
    prefix.numbers((0, 4))
    (prefix.folder / "x.0.4.data.checksum").write_bytes(content)
    with pytest.raises(CacheError, match="no SHA-256"):
        _read(prefix)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"binary",
        b"binary\n",
        b"text\nu/f/1\n0 4 5\n\1\0\0\0\n",
        b"\xff\xfe\nu/f/1\n0 4 5\n\1\0\0\0\n",
        b"binary\nu/f/1\n",
        b"binary\nu/f/1\n0 3 5\n\1\0\0\0\n",
        b"binary\nu/f/1\n0 4\n\1\0\0\0\n",
        b"binary\nu/f/1\n0 4 5 6\n\1\0\0\0\n",
        b"binary\nu/f/1\n0 4 x\n\1\0\0\0\n",
        b"binary\nu/f/1\n0 4 0\n\1\0\0\0\n",
        b"binary\nu/f/1\n0 4 -5\n\1\0\0\0\n",
        b"binary\nu/f/1\n0 4 99999999999\n\1\0\0\0\n",
        b"binary\nu/f/1\n0 4 5\n\1\0\0\0 ",
        b"binary\nu/f/1\n4 0 5\n\1\0\0\0\n",
        b"binary\nu/f/1\n-1 4 5\n\1\0\0\0\n",
        b"binary\nu/f/1\n0 4 5\n\1\0\0\0\n4 4 5\n\1\0\0\0\n",
        b"binary\nu/f/1\n0 4 5\n\1\0\0\0\ntrailing",
        b"binary\n" + b"x" * 5000,
    ],
)
def test_headers_that_lie_are_refused(prefix: Prefix, content: bytes) -> None:
    prefix.numbers((0, 4))
    _replace(prefix, "data", content)
    with pytest.raises(CacheError, match=r"x\.0\.4\.data"):
        _read(prefix)


@pytest.mark.parametrize("data", [b"\1\0\0", b"\1\0\0\0\0"])
def test_a_unit_of_another_length_than_its_format_is_refused(prefix: Prefix, data: bytes) -> None:
    prefix.numbers((0, 4))
    head = b"binary\nu/f/1\n0 4 %d\n" % (len(data) + 1)
    _replace(prefix, "data", head + data + b"\n")
    with pytest.raises(
        CorruptDataError, match=r"x\.0\.4\.data: the unit of the data indices 0 to"
    ):
        _read(prefix)


@pytest.mark.parametrize("text", [b"{", b'{"value": "x"}', b'{"other": 1}', b"[]", b"\xff"])
def test_a_unit_that_is_no_json_is_refused(prefix: Prefix, text: bytes) -> None:
    prefix.numbers((0, 4))
    _replace(prefix, "data", b"json\nu/f/1\n0 4 %d\n%s\n" % (len(text) + 1, text))
    with pytest.raises(CorruptDataError):
        _read(prefix)


@pytest.mark.parametrize(
    "content", [b"0 4 5\n", b"0\n4\n", b"0 x\n", b"4 0\n", b"0 2\n2 4\n", b"0 4"]
)
def test_an_index_that_lies_is_refused(prefix: Prefix, content: bytes) -> None:
    prefix.numbers((0, 4))
    _replace(prefix, "index", content)
    with pytest.raises(CacheError, match=r"x\.0\.4\.index"):
        load_data_index(str(prefix.folder), "x")


@pytest.mark.parametrize("content", ["{}", "[]", "null", '{"version": 9}', '{"files": 3}', "\x00"])
def test_a_manifest_that_is_none_is_refused(prefix: Prefix, content: str) -> None:
    prefix.numbers((0, 4))
    (prefix.folder / "x.0.4.manifest").write_text(content)
    with pytest.raises(CacheError, match=r"x\.0\.4\.manifest is"):
        _read(prefix)


def test_a_manifest_of_other_data_is_noticed(prefix: Prefix) -> None:
    prefix.numbers((0, 4))
    file = prefix.folder / "x.0.4.manifest"
    told = json.loads(file.read_text())
    told["files"]["data"]["sha256"] = "0" * 64
    file.write_text(json.dumps(told))
    with pytest.raises(CacheError, match="another data"):
        _read(prefix)
    told["files"]["data"]["bytes"] = 3
    file.write_text(json.dumps(told))
    with pytest.raises(CacheError, match="bytes and not 3"):
        _read(prefix)


def test_a_manifest_tells_what_the_part_is(prefix: Prefix) -> None:
    prefix.numbers((0, 4), whole=(0, 8), signature="abc")
    manifest = read_manifest(part_of(prefix.path, 0, 4))
    assert manifest is not None
    assert (manifest.format, manifest.encoding, manifest.units) == ("u/f/1", "binary", 5)
    assert (manifest.start, manifest.end, manifest.whole) == (0, 4, [0, 8])
    assert manifest.signature == "abc"
    for ending, facts in manifest.files.items():
        content = (prefix.folder / f"x.0.4.{ending}").read_bytes()
        assert facts == {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    assert read_manifest(part_of(prefix.path, 5, 8)) is None


@settings(max_examples=50)
@given(st.data())
def test_damage_of_any_kind_is_an_error_or_harmless(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    prefix = Prefix(tmp_path_factory.mktemp("damage"))
    prefix.numbers((0, 2), (3, 4))
    files = sorted(prefix.folder.iterdir())
    file = data.draw(st.sampled_from(files))
    damage: Callable[[bytes], bytes] = data.draw(
        st.sampled_from([lambda b: b[: len(b) // 2], lambda b: b + b, lambda b: b[::-1]])
    )
    file.write_bytes(damage(file.read_bytes()))
    try:
        found = _read(prefix)
    except RunError:
        return
    assert found == [0, 1, 2, 3, 4]


def test_files_of_others_are_no_parts(prefix: Prefix) -> None:
    prefix.numbers((0, 4))
    for name in ("x.a.b.data", "x.0.4.data~", ".x.0.4.data.part", "xy.5.6.data", "x.5.data"):
        (prefix.folder / name).write_text("")
    assert [(part.start, part.end) for part in parts(prefix.path)] == [(0, 4)]


def test_a_name_with_letters_of_patterns_is_taken_as_it_is(tmp_path: Path) -> None:
    prefix = Prefix(tmp_path)
    prefix.path = str(prefix.folder / "[x]*.data")
    prefix.numbers((0, 4))
    assert len(_read(prefix)) == 5


@pytest.mark.parametrize("text", ["", "{}", "[1]", '[{"a": 1}, {"b": 1}]', "\x00"])
def test_an_index_of_a_database_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.db").write_text(text)
    with pytest.raises(CacheError, match=r"x\.db is no index of a database"):
        load_data_index_db(str(tmp_path), "x.db")


@pytest.mark.parametrize("path", ["../x", "/etc/x", "ab/../../x"])
def test_paths_do_not_leave_the_cache(tmp_path: Path, path: str) -> None:
    for load in (load_data_index, load_data_index_db):
        with pytest.raises(InvalidPath, match="no path in the cache"):
            load(str(tmp_path), path)
