"""The same graph, drawn in each generation of files."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dlg.exceptions import InvalidGraphException
from dlg_translator.formats import read_logical_graph
from dlg_translator.formats.versions import Generation, generation_of

PORTS = {
    "inputPorts": [{"Id": "p1", "IdText": "in"}],
    "outputPorts": [{"Id": "p2", "IdText": "out"}],
}


def first_models() -> dict[str, Any]:
    """The go.js models of 2017: a bare application, local ports, lower-case categories."""
    return {
        "class": "go.GraphLinksModel",
        "modelData": {"fileType": "graph"},
        "nodeDataArray": [
            {
                "key": -1,
                "category": "file",
                "categoryType": "DataDrop",
                "type": "File Drop",
                "text": "all",
                "fields": [{"text": "Data volume", "name": "data_volume", "value": "5"}],
                "outputPorts": [{"Id": "o1", "IdText": "ms"}],
            },
            {
                "key": -2,
                "category": "SplitData",
                "categoryType": "GroupComponent",
                "isGroup": True,
                "text": "split",
                "application": "BashShellApp",
                "appFields": [{"text": "Arg", "name": "Arg01", "value": "cut"}],
                "fields": [{"text": "Copies", "name": "num_of_copies", "value": "4"}],
                "inputPorts": [{"Id": "i2", "IdText": "ms"}],
                "outputLocalPorts": [{"Id": "l2", "IdText": "part"}],
            },
            {
                "key": -3,
                "group": -2,
                "category": "memory",
                "categoryType": "DataDrop",
                "text": "part",
                "fields": [],
                "inputPorts": [{"Id": "i3", "IdText": "part"}],
            },
        ],
        "linkDataArray": [
            {"from": -1, "fromPort": "o1", "to": -2, "toPort": "i2", "points": [1]},
            {"from": -2, "fromPort": "l2", "to": -3, "toPort": "i3"},
        ],
    }


def by_key() -> dict[str, Any]:
    """A file of 2023: integer keys, ports among the fields, an application by key."""
    document = first_models()
    del document["class"]
    document["modelData"]["schemaVersion"] = "OJS"
    source, split, part = document["nodeDataArray"]
    source.update(category="File", categoryType="Data", name=source.pop("text"))
    source["fields"].append({"id": "o1", "name": "ms", "usage": "OutputPort"})
    split.update(category="Scatter", categoryType="Construct", name=split.pop("text"))
    split["inputApplicationType"] = split.pop("application")
    split["inputApplicationName"] = "split"
    split["inputApplicationKey"] = -9
    split["inputAppFields"] = [
        *split.pop("appFields"),
        {"id": "i2", "name": "ms", "usage": "InputPort"},
        {"id": "l2", "name": "part", "usage": "OutputPort"},
    ]
    part.update(category="Memory", categoryType="Data", name=part.pop("text"))
    part["fields"].append({"id": "i3", "name": "part", "usage": "InputPort"})
    for node in document["nodeDataArray"]:
        for key in ("inputPorts", "outputPorts", "outputLocalPorts"):
            node.pop(key, None)
    return document


def newest() -> dict[str, Any]:
    """A V4 file: objects by id, the application a node that links end at."""

    def field(field_id: str, name: str, usage: str, value: object = "") -> dict[str, Any]:
        words = {"id": field_id, "name": name, "usage": usage, "value": value}
        return {**words, "parameterType": "Application", "edgeIds": []}

    def node(node_id: str, name: str, category: str, kind: str, **keys: Any) -> dict[str, Any]:
        words = {"id": node_id, "name": name, "category": category, "categoryType": kind}
        nothing = dict.fromkeys(("parentId", "embedId", "inputApplicationId"))
        return {**words, **nothing, "outputApplicationId": None, **keys}

    volume = {"v": {**field("v", "data_volume", "NoPort", "5"), "parameterType": "Constraint"}}
    copies = {"c": {**field("c", "num_of_copies", "NoPort", "4"), "parameterType": "Construct"}}
    return {
        "modelData": {"schemaVersion": "V4", "name": "new.graph"},
        "nodes": {
            "-1": node(
                "-1", "all", "File", "Data",
                fields={**volume, "o1": field("o1", "ms", "OutputPort")},
            ),
            "-2": node(
                "-2", "split", "Scatter", "Construct", fields=copies, inputApplicationId="-9"
            ),
            "-3": node(
                "-3", "part", "Memory", "Data", parentId="-2",
                fields={"i3": field("i3", "part", "InputPort")},
            ),
            "-9": node(
                "-9", "split", "BashShellApp", "Application", embedId="-2",
                fields={
                    "a": field("a", "Arg01", "NoPort", "cut"),
                    "i2": field("i2", "ms", "InputPort"),
                    "l2": field("l2", "part", "OutputPort"),
                },
            ),
        },
        "edges": {
            "e1": {"id": "e1", "srcNodeId": "-1", "srcPortId": "o1", "destNodeId": "-9",
                   "destPortId": "i2", "loopAware": False, "closesLoop": False},
            "e2": {"id": "e2", "srcNodeId": "-9", "srcPortId": "l2", "destNodeId": "-3",
                   "destPortId": "i3", "loopAware": False, "closesLoop": False},
        },
    }  # fmt: skip


DRAWN = [first_models, by_key, newest]


@pytest.mark.parametrize("draw", DRAWN)
def test_every_generation_gives_the_same_nodes_and_links(draw: Any) -> None:
    graph = read_logical_graph(draw())
    assert [
        (n.id, n.name, n.category, n.category_type, n.parent) for n in graph.nodes.values()
    ] == [
        ("-1", "all", "File", "Data", None),
        ("-2", "split", "Scatter", "Construct", None),
        ("-3", "part", "Memory", "Data", "-2"),
    ]
    assert [(k.src, k.src_port_name, k.dst, k.dst_port_name) for k in graph.links] == [
        ("-1", "ms", "-2", "ms"),
        ("-2", "part", "-3", "part"),
    ]
    assert graph.problems == []


@pytest.mark.parametrize("draw", DRAWN)
def test_every_generation_gives_the_same_embedded_application(draw: Any) -> None:
    app = read_logical_graph(draw()).nodes["-2"].input_app
    assert app is not None
    assert (app.name, app.category, app.value("Arg01")) == ("split", "BashShellApp", "cut")
    assert [(f.name, f.usage) for f in app.fields if f.usage != "NoPort"] == [
        ("ms", "InputPort"),
        ("part", "OutputPort"),
    ]
    assert [f.parameter_type for f in app.fields] == ["ApplicationArgument"] * 3 or draw is by_key


@pytest.mark.parametrize(
    ("draw", "generation"),
    [(first_models, Generation.OJS_KEY), (by_key, Generation.OJS_KEY), (newest, Generation.V4)],
)
def test_a_generation_is_told_by_its_content(draw: Any, generation: Generation) -> None:
    assert generation_of(draw()) is generation


def test_ports_named_by_sides_of_boxes_are_forgotten() -> None:
    document = first_models()
    document["linkDataArray"][0].update(fromPort="R", toPort="L")
    link = read_logical_graph(document).links[0]
    assert (link.src_port, link.dst_port, link.src_port_name) == ("", "", "")


def test_plain_keys_of_the_first_models_become_fields() -> None:
    node = {"key": 1, "category": "SplitData", "text": "s", "loc": "1 2", "num_of_copies": 3}
    graph = read_logical_graph({"nodeDataArray": [node], "linkDataArray": []})
    assert [(f.name, f.value) for f in graph.nodes["1"].fields] == [("num_of_copies", 3)]
    assert graph.nodes["1"].raw["loc"] == "1 2"


def test_arguments_in_a_list_of_their_own_are_arguments() -> None:
    node = {"key": 1, "category": "PythonApp", "fields": [{"name": "appclass", "value": "a.B"}]}
    node["applicationArgs"] = [{"name": "size", "text": "Size", "value": 3}]
    graph = read_logical_graph({"nodeDataArray": [node]})
    assert [(f.name, f.parameter_type) for f in graph.nodes["1"].fields] == [
        ("appclass", "ComponentParameter"),
        ("size", "ApplicationArgument"),
    ]


def test_an_application_may_be_referred_to_by_key() -> None:
    nodes = [
        {"key": -1, "category": "Gather", "text": "g", "inputAppRef": -2, "fields": []},
        {"key": -2, "category": "PythonApp", "text": "a", "embedKey": -1, "fields": []},
        {"key": -3, "group": -1, "category": "Memory", "text": "m", "fields": []},
    ]
    graph = read_logical_graph({"nodeDataArray": nodes, "linkDataArray": [{"from": -2, "to": -3}]})
    assert list(graph.nodes) == ["-1", "-3"]
    assert graph.nodes["-1"].input_app is not None
    assert graph.links[0].src == "-1"


def test_an_id_that_stands_twice_in_an_object_is_reported() -> None:
    text = json.dumps(newest()).replace('"-3": {', '"-1": {}, "-3": {', 1)
    with pytest.raises(InvalidGraphException, match="more than once"):
        read_logical_graph(text)
