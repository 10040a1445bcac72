"""Inputs of a channel advance together."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlg.beat.indices import Interval, mixDataIndices
from dlg.beat.inputs import Input, InputError, InputGroup, InputList, first
from dlg.beat.outputs import SynchronizationListener
from tests.dlg.beat.sources import Units
from tests.dlg.beat.test_indices import several

VECTORS = json.loads((Path(__file__).parent / "vectors" / "indices.json").read_text())


def _group(
    lists: Any, channel: str = "c", restricted: bool = False, name: str = "i"
) -> InputGroup:
    group = InputGroup(channel, SynchronizationListener(), restricted)
    for number, units in enumerate(lists):
        group.add(Input(f"{name}{number}", "u/n/1", Units(units)))
    return group


def _steps(lists: Any) -> list[Any]:
    group = _group(lists)
    listener = group.synchronization_listener
    assert listener is not None
    found: list[Any] = []
    while group.hasMoreData():
        try:
            group.next()
        except RuntimeError:
            return [*found, "RuntimeError"]
        inputs = [
            [
                *(i.data_index, i.data_index_end, int(i.data.value), i.hasMoreData()),
                *(i.hasDataChanged(), i.isDataUnitDone()),
            ]
            for i in group
        ]
        indices = [group.data_index, group.data_index_end]
        indices += [group.first_data_index, group.last_data_index]
        found.append([indices, [listener.data_index_start, listener.data_index_end], inputs])
    return found


@pytest.mark.parametrize("number", range(len(VECTORS["steps"])))
def test_each_step_is_that_of_the_existing_packages(number: int) -> None:
    lists, expected = VECTORS["steps"][number]
    assert _steps(lists) == expected


@given(several)
def test_every_unit_is_read_once(lists: list[list[Interval]]) -> None:
    group = _group(lists)
    while group.hasMoreData():
        group.next()
    for input_, units in zip(group, lists, strict=True):
        assert isinstance(input_.data_source, Units)
        assert input_.data_source.asked == list(range(len(units)))
        assert input_.nb_data_blocks_read == len(units)


@given(several)
def test_what_all_inputs_have_in_common_are_the_mixed_intervals(
    lists: list[list[Interval]],
) -> None:
    group = _group(lists)
    steps = []
    while group.hasMoreData():
        group.next()
        steps.append((group.first_data_index, group.last_data_index))
    assert steps == mixDataIndices(lists)


def test_what_is_left_to_the_system_is_refused_to_the_algorithm() -> None:
    group = _group([[(0, 1)]], restricted=True)
    only = group[0]
    assert only is not None
    for step in (group.next, only.next):
        with pytest.raises(InputError, match="Not authorized"):
            step()
    group.advance()
    assert only.data.value == 0


def test_reading_past_the_end_is_the_algorithms_mistake() -> None:
    group = _group([[(0, 1)]])
    group.next()
    with pytest.raises(RuntimeError, match="more data for channel `c' on input `i0'"):
        group.next()


def test_an_input_without_a_group_is_read_by_itself() -> None:
    alone = Input("x", "u/n/1", Units([(0, 1), (2, 3)]))
    assert not alone.isDataUnitDone()
    alone.next()
    alone.next()
    assert (alone.data_index, alone.data_index_end, alone.hasMoreData()) == (2, 3, False)


def test_inputs_and_groups_are_found_by_name_and_place() -> None:
    inputs = InputList()
    one = _group([[(0, 0)], [(0, 0)]], "one", name="a")
    two = _group([[(0, 1)]], "two", restricted=True, name="b")
    inputs.add(one)
    inputs.add(two)
    assert [i.name for i in inputs] == ["a0", "a1", "b0"]
    assert len(inputs) == 3
    assert inputs.nbGroups() == 2
    assert inputs["b0"] is inputs[2] is inputs[-1] is two["b0"] is two[0]
    assert inputs["zz"] is inputs[3] is two["zz"] is two[1] is None
    assert inputs.groupOf("a1") is one
    assert inputs.groupOf("zz") is None
    assert inputs.group("two") is inputs.group(1) is inputs.main_group is two
    assert inputs.group("zz") is inputs.group(2) is None
    assert inputs.hasMoreData()
    two.advance()
    assert not inputs.hasMoreData()


@given(st.lists(st.integers()))
def test_the_first_thing_is_the_first_or_the_default(things: list[int]) -> None:
    assert first(things, 7) == (things[0] if things else 7)
