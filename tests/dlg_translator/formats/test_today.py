"""Reading files of today's generation."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from dlg.exceptions import InvalidGraphException
from dlg_translator.formats import is_logical_graph, read_all, read_logical_graph
from dlg_translator.testing.drawing import Drawing


@pytest.fixture
def document() -> dict[str, Any]:
    drawing = Drawing()
    source = drawing.data("source", category="File", filepath="a.txt")
    scatter = drawing.scatter("scatter", 2)
    drawing.embed(scatter, "split")
    part = drawing.data("part", inside=scatter)
    drawing.link(source, scatter)
    drawing.link(scatter, part)
    return drawing.document()


def test_a_dictionary_text_bytes_a_file_and_a_compressed_file_give_the_same_graph(
    document: dict[str, Any], tmp_path: Path
) -> None:
    text = json.dumps(document)
    plain, packed = tmp_path / "drawn.graph", tmp_path / "packed"
    plain.write_text(text, encoding="utf-8")
    packed.write_bytes(gzip.compress(text.encode()))
    sources: list[Any] = [document, text, text.encode(), plain, str(plain), packed]
    graphs = [read_logical_graph(source) for source in sources]
    assert all(g.nodes == graphs[0].nodes and g.links == graphs[0].links for g in graphs)


def test_nodes_come_in_file_order_with_pointers_into_the_file(document: dict[str, Any]) -> None:
    graph = read_logical_graph(document)
    assert [(n.id, n.pointer) for n in graph.nodes.values()] == [
        ("source", "/nodeDataArray/0"),
        ("scatter", "/nodeDataArray/1"),
        ("part", "/nodeDataArray/2"),
    ]
    assert graph.nodes["source"].fields[0].pointer == "/nodeDataArray/0/fields/0"


def test_a_construct_has_its_embedded_application_and_links_end_at_the_construct(
    document: dict[str, Any],
) -> None:
    graph = read_logical_graph(document)
    app = graph.nodes["scatter"].input_app
    assert app is not None
    assert (app.name, app.category, app.id) == ("split", "DALiuGEApp", "scatter/split")
    assert app.value("dropclass") == "dlg.apps.simple.CopyApp"
    assert [(k.src, k.dst, k.src_port_name, k.dst_port_name) for k in graph.links] == [
        ("source", "scatter", "data", "in"),
        ("scatter", "part", "out", "data"),
    ]


def test_an_embedded_application_that_is_a_node_of_its_own_is_put_into_its_construct(
    document: dict[str, Any],
) -> None:
    scatter = document["nodeDataArray"][1]
    app = {"id": "own", "name": "own", "category": "PythonApp", "embedId": "scatter"}
    app["fields"] = scatter.pop("inputAppFields")
    for key in ("inputApplicationName", "inputApplicationType"):
        del scatter[key]
    scatter["inputApplicationId"] = "own"
    document["nodeDataArray"].append(app)
    document["linkDataArray"][0]["to"] = "own"
    graph = read_logical_graph(document)
    assert "own" not in graph.nodes
    assert graph.nodes["scatter"].input_app is not None
    assert graph.nodes["scatter"].input_app.category == "PythonApp"
    assert graph.links[0].dst == "scatter"


def test_unknown_keys_of_nodes_fields_links_and_files_are_kept(document: dict[str, Any]) -> None:
    document["visualDataArray"] = [1]
    document["nodeDataArray"][0]["x"] = 7
    document["nodeDataArray"][0]["fields"][0]["shoeSize"] = 42
    document["linkDataArray"][0]["comment"] = "why"
    graph = read_logical_graph(document)
    assert graph.raw == {"visualDataArray": [1]}
    assert graph.nodes["source"].raw["x"] == 7
    assert graph.nodes["source"].fields[0].raw["shoeSize"] == 42
    assert graph.links[0].raw["comment"] == "why"


def test_an_empty_value_means_the_default(document: dict[str, Any]) -> None:
    field = document["nodeDataArray"][1]["fields"][0]
    field["value"], field["defaultValue"] = "", "9"
    assert read_logical_graph(document).nodes["scatter"].value("num_of_copies") == "9"


@pytest.mark.parametrize("yes", [True, "1", "True", "true", 1])
def test_flags_of_links_are_read_however_they_are_written(
    document: dict[str, Any], yes: object
) -> None:
    document["linkDataArray"][0].update({"loop_aware": yes, "closesLoop": yes})
    first, second = read_logical_graph(document).links
    assert (first.loop_aware, first.closes_loop) == (True, True)
    assert (second.loop_aware, second.closes_loop) == (False, False)


def test_data_that_stream_give_streaming_links() -> None:
    drawing = Drawing()
    drawing.link(drawing.data("d", streaming=True), drawing.app("a"))
    drawing.link("a", drawing.data("e"))
    assert [k.streaming for k in read_logical_graph(drawing.document()).links] == [True, False]


def test_the_document_of_the_caller_is_not_changed(document: dict[str, Any]) -> None:
    before = json.dumps(document)
    read_logical_graph(document, parameters={"scatter.num_of_copies": 5})
    assert json.dumps(document) == before


def test_an_empty_graph_is_a_graph() -> None:
    document: dict[str, Any] = {"modelData": {}, "nodeDataArray": None, "linkDataArray": []}
    assert is_logical_graph(document)
    assert read_logical_graph(document).nodes == {}


@pytest.mark.parametrize(
    ("document", "why"),
    [
        ([{"oid": "a"}], "it is a list"),
        ({"nodeDataArray": [{"key": 1, "oid": "a"}]}, "drawing of a physical graph"),
        ({"modelData": {"fileType": "Palette"}, "nodeDataArray": []}, "palette"),
        ({"a": 1}, "neither nodeDataArray"),
    ],
)
def test_what_is_no_logical_graph_is_refused_and_said_what_it_is(document: Any, why: str) -> None:
    assert not is_logical_graph(document)
    with pytest.raises(InvalidGraphException, match=why):
        read_logical_graph(document)


def test_text_that_is_not_json_is_refused_with_line_and_column() -> None:
    with pytest.raises(InvalidGraphException, match="line 2, column 1"):
        read_logical_graph('{"nodeDataArray":\n}')


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidGraphException, match="cannot read it"):
        read_logical_graph(tmp_path / "none.graph")


def test_a_damaged_compressed_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "damaged"
    path.write_bytes(gzip.compress(b"{}" * 100)[:-12])
    with pytest.raises(InvalidGraphException, match="cannot read it"):
        read_logical_graph(path)


@pytest.mark.parametrize(
    "document",
    [
        {"nodeDataArray": 3},
        {"nodeDataArray": [3, None]},
        {"nodeDataArray": [{"id": "a", "fields": 3}]},
        {"nodeDataArray": [{"id": "a", "fields": [3]}]},
        {"nodeDataArray": [], "linkDataArray": {"a": 1}},
        {"nodes": {"a": 3}, "edges": {}},
        {"nodes": {"a": {"fields": {"x": 3}}}, "edges": {}},
        {"nodes": {}, "edges": []},
    ],
)
def test_pieces_of_the_wrong_kind_are_reported_with_their_place(document: Any) -> None:
    problems = read_all(document).problems
    assert "wrong-structure" in {p.code for p in problems}
    assert all(p.pointer for p in problems)
