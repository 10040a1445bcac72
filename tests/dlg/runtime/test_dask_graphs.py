"""Graphs of Dask run here, and Dask computes ours."""

from __future__ import annotations

import operator
from pathlib import Path
from typing import Any

import dask.array as da
import dask.base
import pytest
from dask.delayed import delayed as dask_delayed

import dlg
from dlg import plugins
from dlg.exceptions import UsageError
from dlg.runtime import delayed

computed: Any = dask.base.compute
persisted: Any = dask.base.persist


class TestFromDask:
    def test_an_array_is_computed_by_an_engine_of_ours(self, tmp_path: Path) -> None:
        total = (da.arange(100, chunks=10) ** 2).sum()
        graph = dlg.from_dask(total)
        (result,) = (oid for oid in graph.oids if oid.startswith("sum-aggregate"))
        report = plugins.engine()(graph, workdir=tmp_path)
        assert report.result(result) == total.compute() == 328350

    def test_drops_are_named_after_keys(self) -> None:
        value = dask_delayed(operator.add)(1, 2, dask_key_name="three")
        assert list(dlg.from_dask(value).oids) == ["task:three", "three"]

    def test_a_delayed_value_may_hold_others_in_lists(self, tmp_path: Path) -> None:
        parts = [dask_delayed(operator.mul)(n, n) for n in range(4)]
        value = dask_delayed(sum)(parts, dask_key_name="all")
        report = plugins.engine()(dlg.from_dask(value), workdir=tmp_path)
        assert report.result("all") == 14

    def test_every_piece_of_a_collection_is_kept(self, tmp_path: Path) -> None:
        array = da.ones(6, chunks=2) + 1
        graph = dlg.from_dask(array)
        report = plugins.engine()(graph, workdir=tmp_path)
        assert sum(report.result(uid).sum() for uid in report.leaves) == 12
        assert len(report.leaves) == 3

    def test_what_is_no_collection_is_refused(self) -> None:
        with pytest.raises(UsageError, match="not list"):
            dlg.from_dask([1, 2])


class TestToDask:
    def test_our_delayed_values_are_collections(self) -> None:
        assert dask.base.is_dask_collection(delayed(operator.add)(1, 2))
        assert not dask.base.is_dask_collection(delayed(operator.add))

    def test_dask_computes_them(self) -> None:
        one = delayed(operator.add)(1, 2)
        assert computed(one * 2, delayed(sum)([one, one]), scheduler="sync") == (6, 6)

    def test_what_two_values_share_is_computed_once(self) -> None:
        calls: list[int] = []
        one = delayed(calls.append)(1)
        first, second = delayed(str)(one), delayed(repr)(one)
        assert computed(first, second) == ("None", "None")
        assert calls == [1]

    def test_they_can_be_persisted(self) -> None:
        calls: list[int] = []
        (kept,) = persisted(delayed(calls.append)(1))
        assert computed(kept, kept) == (None, None)
        assert kept.compute() is None
        assert calls == [1]
