"""Data loaders: any order, and linear in order."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from dlg.beat.data_loaders import DataLoader, DataLoaderList
from dlg.beat.indices import Interval
from tests.dlg.beat.sources import Units
from tests.dlg.beat.test_indices import several

VECTORS = json.loads((Path(__file__).parent / "vectors" / "indices.json").read_text())


def _loader(lists: Any, channel: str = "c") -> DataLoader:
    loader = DataLoader(channel)
    for number, units in enumerate(lists):
        loader.add(f"i{number}", Units(units))
    return loader


def _plain(unit: Any) -> Any:
    data, start, end = unit
    return None if data is None else [{k: int(v.value) for k, v in data.items()}, start, end]


@pytest.mark.parametrize("number", range(len(VECTORS["load"])))
def test_units_and_views_are_those_of_the_existing_packages(number: int) -> None:
    lists, expected = VECTORS["load"][number]
    loader = _loader(lists)
    names = loader.input_names()
    assert [loader.count(), *map(loader.count, names)] == expected["counts"]
    assert [loader.data_index_start, loader.data_index_end] == expected["indices"]
    units = [_plain(loader[i]) for i in range(-1, loader.count() + 1)]
    assert units == expected["units"]
    for name, place, wanted in expected["views"]:
        view = loader.view(name, place)
        if view is None:
            assert wanted is None
            continue
        counts = [view.count(), *map(view.count, names)]
        units = [_plain(view[i]) for i in range(view.count() + 1)]
        assert [counts, view.data_index_start, view.data_index_end, units] == wanted


@given(several)
def test_reading_in_order_reads_each_unit_once(lists: list[list[Interval]]) -> None:
    loader = _loader(lists)
    for _ in loader:
        pass
    for cursor, units in zip(loader.cursors.values(), lists, strict=True):
        assert isinstance(cursor.source, Units)
        assert cursor.source.asked == list(range(len(units)))


@given(several)
def test_the_data_of_a_unit_cover_it(lists: list[list[Interval]]) -> None:
    loader = _loader(lists)
    for data, start, end in loader:
        for value, units in zip((data or {}).values(), lists, strict=True):
            assert any(a == value.value and a <= (start or 0) <= (end or 0) <= b for a, b in units)


def test_nothing_is_there_outside() -> None:
    loader = _loader([[(0, 1), (2, 3)]])
    assert loader[2] == loader[-1] == (None, None, None)
    assert loader.count("zz") == 0
    assert loader.view("zz", 0) is None
    assert loader.view("i0", 2) is None
    assert loader.view("i0", -1) is None
    assert DataLoader("empty")[0] == (None, None, None)
    assert len(DataLoader("empty")) == 0


def test_a_loader_that_was_reset_reads_again() -> None:
    loader = _loader([[(0, 3)]])
    for _ in range(2):
        assert loader[0][1:] == (0, 3)
    loader.reset()
    assert loader[0][1:] == (0, 3)
    source = loader.cursors["i0"].source
    assert isinstance(source, Units)
    assert source.asked == [0, 0]


def test_loaders_are_found_by_channel_place_and_input() -> None:
    loaders = DataLoaderList()
    one, two = _loader([[(0, 1)]], "one"), DataLoader("two")
    loaders.add(one)
    loaders.add(two)
    assert loaders["two"] is loaders[1] is loaders[-1] is two
    assert loaders["zz"] is loaders[2] is None
    assert loaders.main_loader is one is loaders.loaderOf("i0")
    assert loaders.loaderOf("zz") is None
    assert list(loaders.secondaries()) == [two]
    assert loaders.secondaries().main_loader is None
    assert len(loaders) == 2
