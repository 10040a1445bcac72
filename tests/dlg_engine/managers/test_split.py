from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlg.graph import read_physical_graph
from dlg.graph.dropspec import entries
from dlg.graph.writing import lean_specs
from dlg_engine.managers.split import FETCH, Part, Spec, split

Specs = list[dict[str, Any]]


@st.composite
def placed_graphs(draw: st.DrawFn) -> Specs:
    """Random graphs of data and apps in layers, each drop on one of up to four nodes."""
    nodes = [f"n{i}" for i in range(draw(st.integers(1, 4)))]
    specs: Specs = []
    data: list[str] = []
    for i in range(draw(st.integers(1, 8))):
        oid = f"d{i}"
        specs.append(_data(oid, draw(st.sampled_from(nodes))))
        if data or i == 0:
            inputs = draw(st.lists(st.sampled_from(data), unique=True, max_size=3)) if data else []
            outputs = [oid, *draw(st.lists(st.just(f"e{i}"), max_size=1))]
            specs += [_data(o, draw(st.sampled_from(nodes))) for o in outputs[1:]]
            specs.append(
                {"oid": f"a{i}", "categoryType": "Application", "inputs": inputs,
                 "dropclass": "dlg.apps.null.NullBarrierApp", "outputs": outputs,
                 "node": draw(st.sampled_from(nodes))}
            )  # fmt: skip
            data += outputs[1:]
        data.append(oid)
    return specs


def _data(oid: str, node: str) -> dict[str, Any]:
    cls = "dlg.data.memory.InMemoryDROP"
    return {"oid": oid, "categoryType": "Data", "dropclass": cls, "node": node}


def node_of(spec: Spec) -> str:
    return str(spec["node"])


def lean(specs: Specs) -> list[dict[str, Any]]:
    return list(lean_specs(read_physical_graph(specs)))


def crossings(specs: Specs) -> set[tuple[str, str, str]]:
    """Return (app, key, data) of each link whose ends are on different nodes."""
    home = {spec["oid"]: spec["node"] for spec in specs}
    return {
        (spec["oid"], key, oid)
        for spec in specs
        for key in ("inputs", "outputs")
        for oid, _ in entries(spec.get(key, ()))
        if home[oid] != home[spec["oid"]]
    }


@given(placed_graphs())
def test_every_drop_is_in_the_part_of_its_node_as_it_was(specs: Specs) -> None:
    listed = lean(specs)
    parts = split(listed, node_of)
    again = [spec for part in parts.values() for spec in part.specs]
    assert {spec["oid"] for spec in again} == {spec["oid"] for spec in listed}
    for node, part in parts.items():
        assert all(spec["node"] == node for spec in part.specs)


@given(placed_graphs())
def test_every_part_is_a_whole_graph(specs: Specs) -> None:
    for part in split(lean(specs), node_of).values():
        oids = [spec["oid"] for spec in part.all_specs]
        assert len(set(oids)) == len(oids)
        for spec in part.all_specs:
            for key in ("inputs", "outputs"):
                assert all(oid in set(oids) for oid, _ in entries(spec.get(key, ())))


@given(placed_graphs())
def test_who_fetches_is_told_by_whom_it_fetches_from_and_nobody_else_is(specs: Specs) -> None:
    parts = split(lean(specs), node_of)
    fetched = {
        (spec["source"], spec["wanted"], node)
        for node, part in parts.items()
        for spec in part.stand_ins
        if spec["dropclass"] == FETCH
    }
    told = {
        (node, oid, to)
        for node, part in parts.items()
        for oid, nodes in part.exports.items()
        for to in nodes
    }
    assert fetched == told
    assert bool(fetched) == bool(crossings(lean(specs)))


@given(placed_graphs())
def test_a_graph_on_one_node_is_not_changed(specs: Specs) -> None:
    listed = [{**spec, "node": "n"} for spec in lean(specs)]
    (part,) = split(listed, node_of).values()
    assert (part.specs, part.stand_ins, part.exports) == (listed, [], {})


def _parts(*specs: dict[str, Any]) -> dict[str, Part]:
    return split(lean(list(specs)), node_of)


@pytest.fixture
def app() -> Callable[..., dict[str, Any]]:
    def make(oid: str, node: str, **links: Any) -> dict[str, Any]:
        cls = "dlg.apps.null.NullBarrierApp"
        return {"oid": oid, "categoryType": "Application", "dropclass": cls, "node": node, **links}

    return make


def test_an_input_from_elsewhere_is_fetched_from_its_home(app: Callable[..., Any]) -> None:
    parts = _parts(_data("d", "n1"), app("a", "n2", inputs=[{"d": "sky"}]))
    assert parts["n1"].exports == {"d": ["n2"]}
    replica, fetch = parts["n2"].stand_ins
    assert (replica["oid"], fetch["outputs"], fetch["source"]) == ("d", ["d"], "n1")
    assert parts["n2"].specs[0]["inputs"] == [{"d": "sky"}]


def test_an_output_for_elsewhere_is_fetched_by_its_home(app: Callable[..., Any]) -> None:
    parts = _parts(app("a", "n2", outputs=["d"]), _data("d", "n1"))
    assert parts["n2"].exports == {"d": ["n1"]}
    assert [spec["oid"] for spec in parts["n2"].stand_ins] == ["d"]
    (fetch,) = parts["n1"].stand_ins
    assert (fetch["source"], fetch["wanted"], fetch["outputs"]) == ("n2", "d", ["d"])


def test_what_is_written_and_read_on_a_node_is_not_fetched_back(app: Callable[..., Any]) -> None:
    parts = _parts(app("a", "n2", outputs=["d"]), _data("d", "n1"), app("b", "n2", inputs=["d"]))
    assert [spec["oid"] for spec in parts["n2"].stand_ins] == ["d"]


def test_what_others_write_too_is_read_as_it_is_at_home(app: Callable[..., Any]) -> None:
    parts = _parts(
        app("a", "n2", outputs=["d"]), app("c", "n3", outputs=["d"]), _data("d", "n1"),
        app("b", "n2", inputs=[{"d": "sky"}]),
    )  # fmt: skip
    reader = next(spec for spec in parts["n2"].specs if spec["oid"] == "b")
    assert reader["inputs"] == [{"d@n1@whole": "sky"}]
    assert parts["n1"].exports == {"d": ["n2"]}


@pytest.mark.parametrize(("dropclass", "key"), [
    ("dlg.data.drops.file.FileDROP", "filepath"), ("dlg.data.json_data.JsonDROP", "filepath"),
    ("dlg.data.directory.DirectoryDROP", "dirname"),
])  # fmt: skip
def test_a_replica_of_a_file_without_a_path_is_not_beside_it(
    app: Callable[..., Any], dropclass: str, key: str
) -> None:
    parts = _parts(_data("d", "n1") | {"dropclass": dropclass}, app("a", "n2", inputs=["d"]))
    replica = parts["n2"].stand_ins[0]
    assert replica[key] == "replicas/n2/d/data"
    assert replica["expireAfterUse"] is True


def test_a_replica_has_its_own_place_and_nothing_in_it(app: Callable[..., Any]) -> None:
    data = _data("1_night/2", "n1") | {
        "dropclass": "dlg.data.file.FileDROP", "filepath": "/archive/night.fits",
        "persist": True, "lifespan": 5, "bufsize": 7,
    }  # fmt: skip
    parts = _parts(data, app("a", "n2", inputs=["1_night/2"]))
    replica = parts["n2"].stand_ins[0]
    assert replica["filepath"] == "replicas/n2/1_night_2/night.fits"
    assert replica["persist"] is False
    assert "lifespan" not in replica
    assert replica["bufsize"] == 7
