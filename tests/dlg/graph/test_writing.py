"""A graph written as dropspecs is the same graph when it is read again."""

from __future__ import annotations

import gzip
import io
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlg.drops import ports
from dlg.drops.building import live_graph
from dlg.exceptions import InvalidGraphException
from dlg.graph import read_physical_graph
from dlg.graph.categories import resolve_class
from dlg.graph.physical import DropKind, PhysicalGraph
from dlg.graph.writing import lean_specs, write_physical_graph
from dlg.testing.graphs import app, chain, data, fan_gather, stencil

STREAMING = "dlg.apps.checksum.CRCStreamApp"
BOX = {"categoryType": "Container", "dropclass": "dlg.data.container.ContainerDROP"}


def _written(graph: PhysicalGraph) -> list[dict[str, Any]]:
    return list(lean_specs(graph))


def _again(graph: PhysicalGraph) -> PhysicalGraph:
    return read_physical_graph(_written(graph))


def _links(graph: PhysicalGraph) -> list[list[tuple[int, ...]]]:
    """Return for each kind of link what each row sees of it, in the order of the app."""
    found = []
    for name in ("consumers", "streaming_consumers", "outputs", "children"):
        table = getattr(graph.links, name)
        inner = name in {"outputs", "children"}
        key, value = (table.src, table.dst) if inner else (table.dst, table.src)
        found.append([tuple(value[key == row].tolist()) for row in range(len(graph))])
    return found


def _classes(graph: PhysicalGraph) -> list[str]:
    return [graph.class_names[k] for k in graph.class_ids]


def _assert_same(one: PhysicalGraph, other: PhysicalGraph) -> None:
    assert list(one.oids) == list(other.oids)
    assert list(one.uids or one.oids) == list(other.uids or other.oids)
    assert (one.kinds, one.external) == (other.kinds, other.external)
    assert _classes(one) == _classes(other)
    assert _links(one) == _links(other)


@pytest.mark.parametrize("specs", [chain(3), fan_gather(4), stencil(3, 2)])
def test_reading_what_was_written_gives_the_same_graph(specs: list[dict[str, Any]]) -> None:
    graph = read_physical_graph(specs)
    _assert_same(graph, _again(graph))


@st.composite
def graphs(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Draw a graph whose links are given from either side, with and without ports."""
    n_data, n_apps = draw(st.integers(1, 6)), draw(st.integers(1, 5))
    specs = [data(f"d{i}") for i in range(n_data)] + [app(f"a{i}") for i in range(n_apps)]
    places = st.lists(st.integers(0, n_data - 1), unique=True, max_size=n_data)
    for i in range(n_apps):
        cut = draw(st.integers(0, n_data))
        for d in draw(places):
            kinds = ("consumers", "inputs") if d < cut else ("producers", "outputs")
            on_data, port = draw(st.booleans()), draw(st.sampled_from(["", "p", "q"]))
            owner, other = (specs[d], f"a{i}") if on_data else (specs[n_data + i], f"d{d}")
            key = kinds[0] if on_data else kinds[1]
            owner.setdefault(key, []).append({other: port} if port else other)
    for spec in specs:
        if draw(st.booleans()):
            spec["uid"] = draw(st.sampled_from([spec["oid"], f"u-{spec['oid']}"]))
        if draw(st.booleans()):
            spec["anything"] = draw(st.one_of(st.none(), st.integers(-5, 5), st.text(max_size=3)))
    return specs


def _readable(specs: list[dict[str, Any]]) -> PhysicalGraph | None:
    try:
        return read_physical_graph(specs)
    except InvalidGraphException:
        return None  # a cycle


@given(graphs())
def test_writing_and_reading_change_no_graph(specs: list[dict[str, Any]]) -> None:
    graph = _readable(specs)
    if graph is None:
        return
    again = _again(graph)
    _assert_same(graph, again)
    assert [s.get("anything", "") for s in again.specs] == [s.get("anything", "") for s in specs]


@given(graphs())
def test_writing_twice_gives_the_same_text(specs: list[dict[str, Any]]) -> None:
    graph = _readable(specs)
    if graph is not None:
        assert _written(_again(graph)) == _written(graph)


def _ports(graph: PhysicalGraph) -> list[Any]:
    """Return name, drop and encoding of each port of each app, as the app sees them."""
    live = live_graph(graph, resolve_class)
    apps = [live.drop(row) for row, kind in enumerate(graph.kinds) if kind == DropKind.APP]
    sides = [*map(ports.inputs, apps), *map(ports.outputs, apps)]
    return [[(port.name, port.drop.oid, port.encoding) for port in side] for side in sides]


@given(graphs())
def test_apps_see_the_same_ports_afterwards(specs: list[dict[str, Any]]) -> None:
    graph = _readable(specs)
    if graph is not None:
        assert _ports(_again(graph)) == _ports(graph)


@given(graphs())
def test_no_link_is_written_twice(specs: list[dict[str, Any]]) -> None:
    graph = _readable(specs)
    if graph is not None:
        keys = {key for spec in _written(graph) for key in spec}
        assert not keys & {"consumers", "producers", "streamingConsumers", "parent"}


def test_a_port_that_only_the_data_names_moves_to_the_app() -> None:
    specs = [data("d", n=1), app("a", ["e"]), data("e")]
    specs[0]["consumers"], specs[2]["producers"] = [{"a": "in"}], [{"a": "out"}]
    written = _written(read_physical_graph(specs))
    assert (written[1]["inputs"], written[1]["outputs"]) == ([{"d": "in"}], [{"e": "out"}])


def test_the_app_s_own_name_of_a_port_wins() -> None:
    specs = [data("d"), app("a", inputs=[{"d": "mine"}])]
    specs[0]["consumers"] = [{"a": "theirs"}]
    assert _written(read_physical_graph(specs))[1]["inputs"] == [{"d": "mine"}]


def test_one_drop_behind_two_ports_keeps_both() -> None:
    specs = [data("d"), app("a", inputs=[{"d": "x"}, {"d": "y"}])]
    assert _written(read_physical_graph(specs))[1]["inputs"] == [{"d": "x"}, {"d": "y"}]


def test_the_order_of_inputs_is_that_of_the_app() -> None:
    specs = [data(oid, ["a"]) for oid in "xyz"] + [app("a", inputs=["z", "x", "y"])]
    assert _written(read_physical_graph(specs))[3]["inputs"] == ["z", "x", "y"]


def test_streams_and_children_are_written_on_the_side_that_orders_them() -> None:
    specs = [
        data("d", parent="box") | {"streamingConsumers": ["a"]},
        app("a", dropclass=STREAMING),
        {"oid": "box", **BOX},
    ]
    graph = read_physical_graph(specs)
    written = _written(graph)
    assert written[1]["streamingInputs"] == written[2]["children"] == ["d"]
    _assert_same(graph, _again(graph))


def test_old_forms_are_written_in_the_newest() -> None:
    old = {"oid": "a", "uid": "a", "type": "plain", "storage": "memory", "precious": True}
    (written,) = _written(read_physical_graph([old]))
    assert written == {
        "oid": "a",
        "categoryType": "Data",
        "dropclass": "dlg.data.memory.InMemoryDROP",
        "storage": "memory",
        "persist": True,
    }


@pytest.mark.parametrize("suffix", [".json", ".graph", ".graph.gz"])
def test_a_file_holds_the_graph_and_its_own_object(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"g{suffix}"
    graph = read_physical_graph([*chain(2), {"rmode": "1"}])
    write_physical_graph(graph, path)
    content = gzip.decompress(path.read_bytes()) if suffix.endswith("gz") else path.read_bytes()
    assert json.loads(content) == [*_written(graph), {"rmode": "1"}]
    again = read_physical_graph(path)
    _assert_same(graph, again)
    assert again.reprodata == {"rmode": "1"}


def test_a_large_graph_is_written_in_pieces(tmp_path: Path) -> None:
    graph = read_physical_graph(fan_gather(10_000))
    write_physical_graph(graph, tmp_path / "g.graph")
    again = read_physical_graph(tmp_path / "g.graph")
    assert list(again.oids) == list(graph.oids)
    assert np.array_equal(again.links.consumers.src, graph.links.consumers.src)


def test_a_minus_means_standard_output(monkeypatch: pytest.MonkeyPatch) -> None:
    class Output:
        buffer = io.BytesIO()

    monkeypatch.setattr(sys, "stdout", Output)
    write_physical_graph(read_physical_graph(chain(1)), "-")
    assert [spec["oid"] for spec in json.loads(Output.buffer.getvalue())] == ["d0", "a0", "d1"]


def test_a_graph_that_json_cannot_hold_leaves_the_old_file_alone(tmp_path: Path) -> None:
    path = tmp_path / "g.graph"
    path.write_text("old")
    graph = read_physical_graph([data("d"), data("e", pydata=object())])
    with pytest.raises(InvalidGraphException, match="drop 'e' cannot be written as JSON"):
        write_physical_graph(graph, path)
    assert [f.name for f in tmp_path.iterdir()] == ["g.graph"]
    assert path.read_text() == "old"
