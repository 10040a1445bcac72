"""The text that is written without making dropspecs is that of the dropspecs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlg.testing import graphs
from dlg_translator import map_graph, partition_graph, unroll_graph
from dlg_translator.formats.specs import pieces
from dlg_translator.model import spec_texts
from dlg_translator.partition.written import WrittenTemplate
from dlg_translator.testing.drawing import Drawing
from dlg_translator.testing.random_graphs import Drawn, logical_graphs

CONSTRUCTS = sorted((Path(__file__).parents[3] / "graphs/constructs").glob("*.graph"))


def written(specs: Any, **how: Any) -> Any:
    return json.loads(b"".join(pieces(specs, **how)))


@settings(max_examples=60)
@given(logical_graphs(), st.booleans())
def test_the_text_of_a_template_is_that_of_its_dropspecs(drawn: Drawn, compat: bool) -> None:
    template = unroll_graph(drawn.drawing.document(), compat=compat)
    assert written(template.specs) == template.to_dropspecs()


@pytest.mark.parametrize("compat", [False, True], ids=["lean", "compat"])
@pytest.mark.parametrize("path", CONSTRUCTS, ids=lambda path: path.stem)
def test_the_text_of_each_construct_is_that_of_its_dropspecs(path: Path, compat: bool) -> None:
    template = unroll_graph(path, compat=compat)
    assert written(template.specs) == template.to_dropspecs()


def test_the_lean_text_has_its_keys_in_the_same_order() -> None:
    template = unroll_graph(sketch(7))
    text = b"".join(pieces(template.specs))
    assert text == b"".join(pieces(template.to_dropspecs()))


def sketch(copies: int, **fields: Any) -> dict[str, Any]:
    """Return a scatter whose apps have two inputs, and a gather."""
    drawing = Drawing()
    drawing.data("all")
    host = drawing.scatter("each", copies)
    drawing.data("one", inside=host)
    drawing.app("work", inside=host, **fields)
    drawing.data("made", inside=host)
    drawing.gather("bring", 3)
    drawing.embed("bring", "collect")
    for src, dst in (("all", "work"), ("one", "work"), ("work", "made"), ("made", "bring")):
        drawing.link(src, dst, port=src)
    return drawing.document()


def test_entities_of_many_blocks_are_written_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spec_texts, "BLOCK", 3)
    template = unroll_graph(sketch(11))
    assert written(template.specs) == template.to_dropspecs()


def test_odd_prefixes_are_written_as_json_has_them() -> None:
    template = unroll_graph(sketch(2), oid_prefix='night "7"\\ü\n')
    assert written(template.specs) == template.to_dropspecs()


def test_a_parameter_with_the_name_of_a_place_is_written_once() -> None:
    template = unroll_graph(sketch(2, proc_index=4, rank="high"))
    text = b"".join(pieces(template.specs)).decode()
    assert json.loads(text) == template.to_dropspecs()
    assert text.count('"proc_index"') == 2


def test_where_drops_go_is_added_to_their_texts() -> None:
    divided = partition_graph(unroll_graph(sketch(9)), "chunks", 3)
    assert written(divided.specs) == divided.to_dropspecs()
    graph = map_graph(divided, ["i", "a", "b", "c"])
    assert written(graph.specs) == list(graph.specs)
    assert {spec["node"] for spec in written(graph.specs)} == {"a", "b", "c"}


def test_a_node_that_is_there_already_is_replaced() -> None:
    specs = [{**spec, "node": "#0", "island": "#0"} for spec in graphs.chain(4)]
    graph = map_graph(partition_graph(WrittenTemplate(specs), "chunks", 2), ["i", "a", "b"])
    text = b"".join(pieces(graph.specs)).decode()
    assert text.count('"node"') == len(specs)
    assert {spec["node"] for spec in json.loads(text)} == {"a", "b"}


@pytest.mark.parametrize("indent", [False, True])
@pytest.mark.parametrize("count", [0, 2])
def test_the_last_object_comes_behind_all_drops(count: int, indent: bool) -> None:
    specs = graphs.chain(1)[:count]
    assert written(specs, indent=indent, last={"rmode": "1"}) == [*specs, {"rmode": "1"}]
    assert written(specs, indent=indent, last={}) == [*specs, {}]
