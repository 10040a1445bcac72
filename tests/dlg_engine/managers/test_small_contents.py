from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlg.drop import FileDROP, InMemoryDROP
from dlg_engine.managers import cargo
from dlg_engine.managers.cargo import SMALL
from dlg_engine.managers.news import News
from dlg_engine.managers.node_session import NodeSession
from dlg_engine.managers.split import fetch, replica
from dlg_engine.runners import make_runner

VALUES = (
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False)
    | st.text(max_size=100) | st.binary(max_size=100)
)  # fmt: skip


def stored(value: Any, encoding: str = "pickle") -> InMemoryDROP:
    drop = InMemoryDROP("a", "a")
    drop.store(value, encoding)
    drop.setCompleted()
    return drop


def brought(packed: tuple[str, bytes] | None) -> Any:
    assert packed is not None
    form, contents = packed
    target = InMemoryDROP("b", "b")
    cargo.receive(target, form, [contents])
    target.setCompleted()
    return target.value()


@given(VALUES)
def test_small_values_arrive_as_they_are(value: Any) -> None:
    back = brought(cargo.small(stored(value)))
    assert back == value
    assert type(back) is type(value)


def test_small_arrays_arrive_with_their_type_and_shape() -> None:
    value = np.arange(6, dtype="<i2").reshape(2, 3)
    back = brought(cargo.small(stored(value)))
    assert back.dtype == value.dtype
    assert np.array_equal(back, value)


def test_bytes_that_were_written_go_along() -> None:
    drop = InMemoryDROP("a", "a")
    drop.write(b"one ")
    drop.write(b"two")
    drop.setCompleted()
    assert cargo.small(drop) == (cargo.BYTES, b"one two")


def test_small_files_go_along_and_big_ones_do_not(tmp_path: Path) -> None:
    for size, goes in ((SMALL, True), (SMALL + 1, False)):
        drop = FileDROP(f"f{size}", f"f{size}", filepath=str(tmp_path / str(size)))
        drop.write(bytes(size))
        drop.setCompleted()
        assert (cargo.small(drop) is not None) is goes


@pytest.mark.parametrize(
    ("value", "encoding"),
    [
        (bytes(SMALL + 1), "raw"), (bytes(SMALL + 1), "pickle"), ("x" * (SMALL + 1), "utf-8"),
        (np.zeros(SMALL), "npy"), (2**63, "pickle"), ({"a": 1}, "pickle"), ([1], "pickle"),
        (np.array([{}]), "pickle"), (np.float64(1), "pickle"),
    ],
)  # fmt: skip
def test_what_is_big_or_would_need_a_pickle_is_fetched_instead(value: Any, encoding: str) -> None:
    assert cargo.small(stored(value, encoding)) is None


def test_news_that_bring_a_pickle_are_not_opened_but_fetched(tmp_path: Path) -> None:
    fetched: list[tuple[str, str]] = []

    class Courier:
        def bring(self, source: str, _session: str, oid: str, into: InMemoryDROP) -> None:
            fetched.append((source, oid))
            into.write(b"from there")

    data = {"oid": "d", "categoryType": "Data", "dropclass": "dlg.data.memory.InMemoryDROP"}
    session = NodeSession("s", tmp_path, make_runner("inline", None), courier=Courier())
    session.add_graph([replica(data, "n2"), fetch("d", "n1")])
    session.deploy()
    session.hear(News("s", "d", "n1", 2, form=cargo.OBJECT, contents=b"a pickle"))
    session.wait_for_end()
    assert fetched == [("n1", "d")]
    assert session.live is not None
    assert session.live.drop(session.live.row_of("d")).contents() == b"from there"
