"""What is written to a cache is read from it, byte for byte as in the existing packages."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlg.beat.cache_files import (
    MissingCacheError,
    getAllFilenames,
    intervals_in_cache,
    load_data_index,
    load_data_index_db,
)
from dlg.beat.cached_source import CachedDataSource
from dlg.beat.data import DataSink, DataSource
from dlg.beat.packing import CastError
from dlg.beat.sinks import CachedDataSink, ClosedSinkError, StdoutDataSink
from dlg.beat.sources import NoDataError
from dlg.exceptions import UsageError
from tests.dlg.beat.caches import Prefix
from tests.dlg.beat.formats import formats, made, values_of

VECTORS = json.loads((Path(__file__).parent / "vectors" / "files.json").read_text())


@pytest.fixture
def prefix(tmp_path: Path) -> Prefix:
    return Prefix(tmp_path)


def _read(prefix: Prefix, *limits: Any, **how: Any) -> list[Any]:
    source = CachedDataSource()
    assert source.setup(prefix.path, str(prefix.root), *limits, **how)
    return [(getattr(data, "value", data), start, end) for data, start, end in source]


@pytest.mark.parametrize("number", range(len(VECTORS["caches"])))
def test_files_are_those_of_the_existing_packages(prefix: Prefix, number: int) -> None:
    case = VECTORS["caches"][number]
    dataformat = prefix.format(case["format"])
    for start, end, units in case["parts"]:
        prefix.write(start, end, units, dataformat=dataformat)
    assert prefix.files() == sorted(case["files"])
    for name, content in case["files"].items():
        assert (prefix.folder / name).read_bytes().hex() == content
    assert load_data_index(str(prefix.folder), "x") == case["index"]


@pytest.mark.parametrize("number", range(len(VECTORS["caches"])))
def test_files_of_the_existing_packages_are_read(prefix: Prefix, number: int) -> None:
    case = VECTORS["caches"][number]
    kind = prefix.format(case["format"]).type
    prefix.folder.mkdir(parents=True)
    for name, content in case["files"].items():
        (prefix.folder / name).write_bytes(bytes.fromhex(content))
    units = [unit for _, _, units in case["parts"] for unit in units]
    source = CachedDataSource()
    assert source.setup(prefix.path, str(prefix.root))
    found = [[start, end, data.pack()] for data, start, end in source if data is not None]
    assert found == [[start, end, kind(**value).pack()] for start, end, value in units]


@given(st.data())
def test_readers_see_what_writers_wrote(data: st.DataObject) -> None:
    declaration = data.draw(formats)
    kind = made("u/f/1", declaration)
    lengths = data.draw(st.lists(st.integers(1, 3), min_size=1, max_size=6))
    edges = [0, *itertools.accumulate(lengths)]
    units = [
        (a, b - 1, kind().from_dict(data.draw(values_of(declaration))))
        for a, b in itertools.pairwise(edges)
    ]
    cut = data.draw(st.integers(1, len(units)))
    with tempfile.TemporaryDirectory() as folder:
        prefix = Prefix(Path(folder))
        dataformat = prefix.format(declaration)
        for part in filter(None, (units[:cut], units[cut:])):
            sink = CachedDataSink()
            sink.setup(prefix.path, dataformat, part[0][0], part[-1][1])
            for start, end, value in part:
                sink.write(value, start, end)
            sink.close()
        source = CachedDataSource()
        assert source.setup(prefix.path, folder)
        assert source.data_indices() == intervals_in_cache(prefix.path)
        found = [(start, end, read.pack()) for read, start, end in source if read is not None]
        packed = [source.packed(place) for place in range(len(source))]
    expected = [(start, end, value.pack()) for start, end, value in units]
    assert found == expected
    assert [(start, end, bytes(content or b"")) for content, start, end in packed] == expected


def test_units_are_found_by_place_and_by_index(prefix: Prefix) -> None:
    prefix.write(0, 4, [(0, 1, {"value": 5}), (2, 4, {"value": 6})])
    source = CachedDataSource()
    source.setup(prefix.path, str(prefix.root))
    for index, place in {0: 0, 1: 0, 2: 1, 4: 1}.items():
        found, expected = source.getAtDataIndex(index), source[place]
        assert found[1:] == expected[1:]
        assert found[0] is not None
    for nowhere in (source[2], source[-1], source.getAtDataIndex(5), source.getAtDataIndex(-1)):
        assert nowhere == (None, None, None)
    assert (source.first_data_index(), source.last_data_index()) == (0, 4)
    source.reset()
    assert len(source) == 2


def test_bytes_are_handed_out_with_their_line_end_as_ever(prefix: Prefix) -> None:
    prefix.numbers((0, 1))
    assert _read(prefix, unpack=False)[1] == (b"\x01\x00\x00\x00\n", 1, 1)


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ((0, 4), [0, 1, 2, 3, 4]),
        ((2, 6), [2, 3, 4, 5, 6]),
        ((5, None), [5, 6, 7, 8]),
        ((None, 1), [0, 1]),
        ((8, 8), [8]),
    ],
)
def test_only_a_range_is_read(prefix: Prefix, limits: Any, expected: list[int]) -> None:
    prefix.numbers((0, 4), (5, 8))
    assert [value for value, _, _ in _read(prefix, *limits)] == expected


def test_units_that_a_range_cuts_are_left_out(prefix: Prefix) -> None:
    prefix.write(0, 8, [(0, 2, {"value": 0}), (3, 5, {"value": 3}), (6, 8, {"value": 6})])
    assert [value for value, _, _ in _read(prefix, 1, 7)] == [3]


def test_big_arrays_are_not_copied(prefix: Prefix) -> None:
    dataformat = prefix.format({"value": [0, "float64"]})
    prefix.write(0, 0, [(0, 0, {"value": np.arange(1e5)})], dataformat=dataformat)
    source = CachedDataSource()
    source.setup(prefix.path, str(prefix.root))
    data: Any = source[0][0]
    again: Any = source[0][0]
    assert np.shares_memory(data.value, again.value)
    source.close()
    assert data.value.sum() == np.arange(1e5).sum()


def test_an_array_that_changes_after_it_was_written_changes_nothing(prefix: Prefix) -> None:
    dataformat = prefix.format({"value": [0, "float64"]})
    sink = CachedDataSink()
    sink.setup(prefix.path, dataformat, 0, 0)
    data: Any = dataformat.type(value=np.zeros(50_000))
    sink.write(data, 0, 0)
    data.value[:] = 1
    sink.close()
    assert not _read(prefix)[0][0].any()


def test_statistics_count_units_and_not_headers(prefix: Prefix) -> None:
    sink = prefix.write(0, 4, [(0, 1, {"value": 5}), (2, 4, {"value": 6})])
    assert sink.statistics()[0] == 30
    source = CachedDataSource()
    source.setup(prefix.path, str(prefix.root))
    assert [len(list(source)), source.statistics()[0]] == [2, 10]


def test_json_is_written_and_read(prefix: Prefix) -> None:
    dataformat = prefix.format({"value": "int32", "t": "string"})
    units = [(0, 1, {"value": 5, "t": "\u00e9\n"})]
    prefix.write(0, 1, units, dataformat=dataformat, encoding="json")
    source = CachedDataSource()
    source.setup(prefix.path, str(prefix.root))
    data: Any = source[0][0]
    assert data.as_dict() == {"value": 5, "t": "\u00e9\n"}


def test_the_results_of_an_analyzer_have_a_format_of_their_own(prefix: Prefix) -> None:
    algorithm = prefix.root / "algorithms" / "u" / "a"
    algorithm.mkdir(parents=True)
    results = {"n": {"type": "int32"}, "text": {"type": "string", "display": True}}
    (algorithm / "1.json").write_text(json.dumps({"results": results}))
    dataformat = prefix.format({"n": "int32", "text": "string"})
    prefix.write(0, 1, [(0, 1, {"n": 3, "text": "x"})], dataformat=dataformat)
    file = prefix.folder / "x.0.1.data"
    content = file.read_bytes().replace(b"u/f/1", b"analysis:u/a/1")
    file.unlink()
    prefix.folder.joinpath("y.0.1.data").write_bytes(content)
    checksum = subprocess.check_output(["sha256sum", prefix.folder / "y.0.1.data"])[:64]
    prefix.folder.joinpath("y.0.1.data.checksum").write_bytes(checksum)
    source = CachedDataSource()
    source.setup(str(prefix.folder / "y.data"), str(prefix.root))
    data: Any = source[0][0]
    assert data.as_dict() == {"n": 3, "text": "x"}


# --- writing whole or not at all --------------------------------------------------------------


def test_nothing_is_seen_before_all_is_written(prefix: Prefix) -> None:
    sink = CachedDataSink()
    dataformat = prefix.format({"value": "int32"})
    sink.setup(prefix.path, dataformat, 0, 4)
    sink.write(dataformat.type(value=1), 0, 4)
    assert getAllFilenames(prefix.path) == ([], [], [], [])
    sink.close()
    assert all(len(found) == 1 for found in getAllFilenames(prefix.path))
    assert len(prefix.files()) == 4


def test_what_is_not_whole_leaves_nothing(prefix: Prefix) -> None:
    prefix.write(0, 4, [(0, 3, {"value": 1})])
    assert prefix.files() == []
    sink = CachedDataSink()
    dataformat = prefix.format({"value": "int32"})
    sink.setup(prefix.path, dataformat, 0, 4)
    sink.write(dataformat.type(value=1), 0, 4)
    sink.abort()
    sink.close()
    assert prefix.files() == []


def test_a_failed_rewrite_keeps_what_was_there(prefix: Prefix) -> None:
    prefix.numbers((0, 4))
    prefix.write(0, 4, [(0, 3, {"value": 1})])
    assert len(_read(prefix)) == 5


def test_a_forgotten_sink_keeps_what_is_whole(prefix: Prefix) -> None:
    dataformat = prefix.format({"value": "int32"})
    sink = CachedDataSink()
    sink.setup(prefix.path, dataformat, 0, 0)
    sink.write(dataformat.type(value=1), 0, 0)
    del sink
    assert len(_read(prefix)) == 1


def test_a_forked_process_that_forgets_a_sink_leaves_it_to_its_owner(prefix: Prefix) -> None:
    prefix.format({"value": "int32"})
    program = f"""
import os, sys
from dlg.beat.data import CachedDataSink
from dlg.beat.dataformat import DataFormat
dataformat = DataFormat({str(prefix.root)!r}, "u/f/1")
sink = CachedDataSink()
sink.setup({prefix.path!r}, dataformat, 0, 1)
sink.write(dataformat.type(value=7), 0, 0)
child = os.fork()
if not child:
    del sink
    sys.exit()
os.waitpid(child, 0)
sink.write(dataformat.type(value=8), 1, 1)
sink.close()
"""
    subprocess.run([sys.executable, "-c", program], check=True)
    assert [value for value, _, _ in _read(prefix)] == [7, 8]


def test_a_process_that_is_killed_leaves_no_output(prefix: Prefix) -> None:
    prefix.format({"value": "int32"})
    program = f"""
import os, signal
from dlg.beat.data import CachedDataSink
from dlg.beat.dataformat import DataFormat
dataformat = DataFormat({str(prefix.root)!r}, "u/f/1")
sink = CachedDataSink()
sink.setup({prefix.path!r}, dataformat, 0, 400_000)
for i in range(200_000):
    sink.write(dataformat.type(value=i), i, i)
os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", program], check=False)
    assert done.returncode == -9
    assert getAllFilenames(prefix.path) == ([], [], [], [])
    assert CachedDataSource().setup(prefix.path, str(prefix.root)) is False
    prefix.numbers((0, 4))
    assert len(_read(prefix)) == 5


@pytest.mark.parametrize("units", [1, 40])
def test_a_full_disk_is_an_error_and_leaves_nothing(prefix: Prefix, units: int) -> None:
    prefix.format({"value": [0, "float64"]})
    program = f"""
import resource, numpy
from dlg.beat.data import CachedDataSink
from dlg.beat.dataformat import DataFormat
dataformat = DataFormat({str(prefix.root)!r}, "u/f/1")
sink = CachedDataSink()
sink.setup({prefix.path!r}, dataformat, 0, {units - 1})
resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))
try:
    for i in range({units}):
        sink.write(dataformat.type(value=numpy.zeros(5_100)), i, i)
    sink.close()
except OSError as error:
    print(error)
"""
    told = subprocess.check_output([sys.executable, "-c", program], text=True)
    assert "x.0." in told
    assert "cannot be written: [Errno 27]" in told
    assert list(prefix.folder.iterdir()) == []


# --- wrong calls ------------------------------------------------------------------------------


def test_units_go_forward(prefix: Prefix) -> None:
    dataformat = prefix.format({"value": "int32"})
    sink = CachedDataSink()
    sink.setup(prefix.path, dataformat, 0, 4)
    value = dataformat.type(value=1)
    sink.write(value, 0, 1)
    for start, end in ((1, 2), (3, 2)):
        with pytest.raises(UsageError, match="cannot follow index 1"):
            sink.write(value, start, end)
    sink.abort()


def test_data_of_another_format_are_refused(prefix: Prefix) -> None:
    dataformat = prefix.format({"value": "int32"})
    sink = CachedDataSink()
    sink.setup(prefix.path, dataformat, 0, 4)
    for wrong in (prefix.format({"value": "int32"}, "u/g/1").type(), 3, None, {"value": 3}):
        with pytest.raises(CastError, match="u/f/1"):
            sink.write(wrong, 0, 1)  # type: ignore[arg-type]
    sink.abort()


def test_a_value_read_by_one_reader_is_written_by_any_writer(prefix: Prefix) -> None:
    prefix.numbers((0, 0))
    source = CachedDataSource()
    source.setup(prefix.path, str(prefix.root))
    other = Prefix(prefix.root / "other")
    sink = CachedDataSink()
    sink.setup(other.path, other.format({"value": "int32"}), 0, 1)
    value: Any = source[0][0]
    sink.write(value, 0, 0)
    sink.write_packed(b"\x05\0\0\0", 1, 1)
    sink.close()
    assert [value for value, _, _ in _read(other)] == [0, 5]


def test_a_sink_without_a_file_takes_nothing(prefix: Prefix) -> None:
    value = prefix.format({"value": "int32"}).type()
    with pytest.raises(ClosedSinkError, match="set it up"):
        CachedDataSink().write(value, 0, 0)
    closed = prefix.write(0, 0, [(0, 0, {"value": 1})])
    with pytest.raises(RuntimeError):
        closed.write(value, 1, 1)
    with pytest.raises(UsageError, match="range from 3 to 2"):
        CachedDataSink().setup(prefix.path, prefix.format({}), 3, 2)
    with pytest.raises(UsageError, match="encoding"):
        CachedDataSink().setup(prefix.path, prefix.format({}), 0, 2, "xml")
    with pytest.raises(UsageError, match="as JSON: use"):
        prefix.write(
            *(0, 0, [(0, 0, {"c": 1j})]),
            dataformat=prefix.format({"c": "complex64"}),
            encoding="json",
        )


def test_a_folder_that_cannot_be_written_is_told(
    prefix: Prefix, caplog: pytest.LogCaptureFixture
) -> None:
    prefix.folder.parent.mkdir(parents=True)
    prefix.folder.write_text("in the way")
    assert CachedDataSink().setup(prefix.path, prefix.format({"value": "int32"}), 0, 4) is False
    assert "x.0.4: " in caplog.text


def test_a_source_without_data_says_so(prefix: Prefix) -> None:
    source = CachedDataSource()
    assert source.setup(prefix.path, str(prefix.root)) is False
    assert len(source) == 0
    assert source.data_indices() == []
    with pytest.raises(NoDataError):
        source.first_data_index()
    with pytest.raises(IndexError):
        source.last_data_index()
    with pytest.raises(MissingCacheError):
        load_data_index(str(prefix.root), "cache/ab/cd/x")
    assert load_data_index_db(str(prefix.root), "cache/x.db") is None


def test_bases_leave_the_work_to_others(prefix: Prefix) -> None:
    source = DataSource()
    source._has([(0, 1)])
    with source, pytest.raises(NotImplementedError):
        source[0]
    sink = DataSink()
    sink.close()
    assert sink.statistics() == (0, 0.0)
    with pytest.raises(NotImplementedError):
        sink.isConnected()
    with pytest.raises(NotImplementedError):
        sink.write(prefix.format({}).type(), 0, 0)


def test_data_are_printed(prefix: Prefix, capsys: pytest.CaptureFixture[str]) -> None:
    dataformat = prefix.format({"value": [0, "int32"]})
    for how in ({}, {"prefix": "pre "}, {"display_data": False}):
        sink = StdoutDataSink()
        sink.setup(dataformat, **how)
        sink.write(dataformat.type(value=[3]), 0, 1)
        assert sink.isConnected()
    shown = "(0 -> 1): {'value': [3]}\n"
    assert capsys.readouterr().out == shown + "pre " + shown + "(0 -> 1): <data>\n"
