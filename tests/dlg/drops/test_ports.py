"""Named ports: which drop is behind which, and how its data is encoded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dlg.drops import ports
from dlg.testing.graphs import app, data
from dlg_engine.embedded import run_graph


def ports_of(tmp_path: Path, *specs: dict[str, Any]) -> list[Any]:
    report = run_graph(list(specs), runner="inline", workdir=tmp_path, timeout=30)
    drop = report.drops["a"]
    return [
        [(port.name, port.drop.uid, port.encoding) for port in side(drop)]
        for side in (ports.inputs, ports.outputs)
    ]


def test_ports_are_named_on_the_side_of_the_app(tmp_path: Path) -> None:
    call = app("a", [{"out": "result"}], inputs=[{"in": "table"}, "other"])  # type: ignore[list-item]
    found = ports_of(tmp_path, data("in"), data("other"), call, data("out"))
    assert found == [[("table", "in", ""), ("", "other", "")], [("result", "out", "")]]


def test_ports_are_named_on_the_side_of_the_data(tmp_path: Path) -> None:
    source = data("in", [{"a": "table"}])  # type: ignore[list-item]
    target = data("out", producers=[{"a": "result"}])
    found = ports_of(tmp_path, source, app("a"), target)
    assert found == [[("table", "in", "")], [("result", "out", "")]]


def test_where_both_sides_name_a_port_the_apps_name_counts(tmp_path: Path) -> None:
    source = data("in", [{"a": "theirs"}])  # type: ignore[list-item]
    found = ports_of(tmp_path, source, app("a", inputs=[{"in": "mine"}]))
    assert found == [[("mine", "in", "")], []]


def test_one_drop_may_be_behind_two_ports(tmp_path: Path) -> None:
    found = ports_of(tmp_path, data("in"), app("a", inputs=[{"in": "x"}, {"in": "y"}]))
    assert found == [[("x", "in", ""), ("y", "in", "")], []]


@pytest.mark.parametrize("group", ["applicationArgs", "componentParams"])
def test_the_encoding_of_a_port_stands_in_its_argument(tmp_path: Path, group: str) -> None:
    call = app("a", [{"out": "result"}], inputs=[{"in": "x"}])  # type: ignore[list-item]
    call[group] = {"x": {"encoding": "npy"}, "result": {"encoding": "utf-8"}}
    found = ports_of(tmp_path, data("in"), call, data("out"))
    assert found == [[("x", "in", "npy")], [("result", "out", "utf-8")]]


def test_ports_are_in_the_order_of_the_graph(tmp_path: Path) -> None:
    call = app("a", inputs=[{"d2": "z"}, {"d0": "y"}, {"d1": "x"}])
    found = ports_of(tmp_path, *(data(f"d{i}") for i in range(3)), call)
    assert [name for name, _, _ in found[0]] == ["z", "y", "x"]
