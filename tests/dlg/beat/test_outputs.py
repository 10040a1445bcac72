"""Outputs: units follow one another, and end where the inputs have got to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlg.beat.baseformat import CastError, FieldsError, baseformat
from dlg.beat.cached_source import CachedDataSource
from dlg.beat.outputs import (
    AnswerError,
    Output,
    OutputError,
    OutputList,
    RemotelySyncedOutput,
    SynchronizationListener,
)
from dlg.beat.sinks import CachedDataSink, DataSink
from tests.dlg.beat.caches import Prefix
from tests.dlg.beat.sources import NUMBER


class NumberFormat:
    """The format of the numbers of these tests."""

    name = "u/n/1"
    type: type[baseformat] = NUMBER


class Kept(DataSink):
    """Keeps what is written."""

    def __init__(self) -> None:
        self.dataformat = NumberFormat()
        self.units: list[tuple[int, int, int]] = []
        self.closed = False

    def write(self, data: Any, start_data_index: int, end_data_index: int) -> None:
        self.units.append((int(data.value), start_data_index, end_data_index))

    def isConnected(self) -> bool:
        return not self.closed

    def close(self) -> None:
        self.closed = True


def _value(number: int) -> dict[str, Any]:
    return {"value": np.int32(number)}


def test_without_inputs_a_unit_is_one_index_long_unless_it_is_said_otherwise() -> None:
    sink = Kept()
    output = Output("o", sink)
    output.write(_value(7))
    output.write(_value(8), 4)
    output.write(NUMBER(value=9))
    assert sink.units == [(7, 0, 0), (8, 1, 4), (9, 5, 5)]
    assert (output.last_written_data_index, output.nb_data_blocks_written) == (5, 3)
    assert not output.isDataMissing()


def test_with_inputs_a_unit_ends_where_they_have_got_to() -> None:
    sink, listener = Kept(), SynchronizationListener()
    output = Output("o", sink, listener)
    listener.onIntervalChanged(0, 1)
    assert output.isDataMissing()
    output.write(_value(1))
    assert not output.isDataMissing()
    listener.onIntervalChanged(2, 3)
    listener.onIntervalChanged(4, 9)  # nothing was written for the indices 2 and 3
    output.write(_value(2), 5)
    assert output.isDataMissing()
    output.write(_value(3))
    assert sink.units == [(1, 0, 1), (2, 2, 5), (3, 6, 9)]


@pytest.mark.parametrize("end", [-1, 1, 4, 100])
def test_a_unit_may_end_neither_before_its_start_nor_beyond_the_inputs(end: int) -> None:
    sink, listener = Kept(), SynchronizationListener()
    output = Output("o", sink, listener)
    listener.onIntervalChanged(0, 3)
    output.write(_value(1), 1)
    with pytest.raises(KeyError, match="Algorithm logic error on write") as told:
        output.write(_value(2), end)
    assert "written up to 2 to 3" in str(told.value)
    assert len(sink.units) == 1


def test_writing_when_the_inputs_have_not_moved_is_the_algorithms_mistake() -> None:
    output = Output("o", Kept(), SynchronizationListener())
    with pytest.raises(OutputError):
        output.write(_value(1))


@pytest.mark.parametrize(
    ("data", "error"),
    [
        ({"value": 5.5}, CastError),
        ({"value": 5}, CastError),
        ({}, FieldsError),
        ({"value": np.int32(1), "more": 1}, FieldsError),
    ],
)
def test_data_that_do_not_fit_are_not_written(data: Any, error: type[Exception]) -> None:
    sink = Kept()
    output = Output("o", sink)
    with pytest.raises(error):
        output.write(data)
    assert (sink.units, output.last_written_data_index) == ([], -1)


@given(st.lists(st.integers(0, 3)), st.integers(0, 9))
def test_units_leave_no_gaps(lengths: list[int], start: int) -> None:
    sink = Kept()
    output = Output("o", sink, force_start_index=start)
    for length in lengths:
        output.write(_value(0), output.last_written_data_index + 1 + length)
    edges = [start, *(end + 1 for _, _, end in sink.units)]
    assert [first for _, first, _ in sink.units] == edges[:-1]


def test_closing_an_output_closes_its_sink() -> None:
    output = Output("o", Kept())
    assert output.isConnected()
    output.close()
    assert not output.isConnected()


def test_an_output_makes_values_of_its_format() -> None:
    assert Output("o", Kept())._createData().as_dict() == {"value": 0}


def test_what_an_output_writes_into_a_cache_is_read_from_there(tmp_path: Path) -> None:
    prefix = Prefix(tmp_path)
    sink = CachedDataSink()
    sink.setup(prefix.path, prefix.format({"value": "int32"}), 0, 9)
    output = Output("o", sink)
    output.write(_value(3), 4)
    output.write(_value(4), 9)
    output.close()
    source = CachedDataSource()
    assert source.setup(prefix.path, str(tmp_path))
    assert source.data_indices() == [(0, 4), (5, 9)]


class Wire:
    """The other side of a loop, with answers that are known before."""

    def __init__(self, *answers: list[bytes]) -> None:
        self.answers, self.heard = list(answers), list[list[bytes]]()

    def send_multipart(self, msg_parts: list[bytes]) -> None:
        self.heard.append(msg_parts)

    def recv_multipart(self) -> list[bytes]:
        return self.answers.pop(0)


def test_the_other_side_of_a_loop_is_told_of_each_unit() -> None:
    wire = Wire([b"ack"], [b"ack"])
    output = RemotelySyncedOutput("out", Kept(), wire)
    output.write(_value(1))
    output.write(_value(2), 5)
    assert wire.heard == [[b"wrt", b"out", b"None"], [b"wrt", b"out", b"5"]]


def test_what_fails_on_the_other_side_is_told_here() -> None:
    wire = Wire([b"err", b"usr", b"evaluator failed"], [b"what"])
    output = RemotelySyncedOutput("out", Kept(), wire)
    with pytest.raises(AnswerError, match="evaluator failed"):
        output.write(_value(1))
    assert wire.heard[-1] == [b"ack"]
    with pytest.raises(AnswerError, match="`ack' was expected"):
        output.write(_value(1))


def test_outputs_are_found_by_name_and_place() -> None:
    outputs = OutputList()
    one, two = Output("one", Kept()), Output("two", Kept())
    outputs.add(one)
    outputs.add(two)
    assert outputs["two"] is outputs[1] is outputs[-1] is two
    assert outputs["zz"] is outputs[2] is None
    assert list(outputs) == [one, two]
    assert len(outputs) == 2
