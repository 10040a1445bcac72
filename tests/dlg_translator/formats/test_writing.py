"""Writing graphs and palettes, and reading them again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlg.exceptions import InvalidGraphException
from dlg_translator.formats import (
    Palette,
    read_drawn,
    read_palette,
    save,
    to_document,
    write_palette,
)
from dlg_translator.formats.versions import Generation, generation_of
from dlg_translator.testing.drawing import Drawing

JSON_VALUES = st.none() | st.booleans() | st.integers() | st.text(max_size=5)
NEW_KEYS = st.dictionaries(st.sampled_from(["x", "comment", "subject", "zoo"]), JSON_VALUES)


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    drawing = Drawing()
    outer = drawing.scatter("s", draw(st.integers(1, 4)))
    if draw(st.booleans()):
        drawing.embed(outer, "split", side=draw(st.sampled_from(["input", "output"])))
    names = [f"n{i}" for i in range(draw(st.integers(0, 5)))]
    for name in names:
        inside = draw(st.sampled_from(["", outer]))
        add = draw(st.sampled_from([drawing.app, drawing.data]))
        add(name, inside=inside, value=draw(JSON_VALUES))
        drawing.find(name).update(draw(NEW_KEYS))
        drawing.find(name)["fields"][0].update(draw(NEW_KEYS))
    if names:
        for _ in range(draw(st.integers(0, 5))):
            ends = draw(st.tuples(st.sampled_from(names), st.sampled_from(names)))
            drawing.link(*ends, loop_aware=draw(st.sampled_from(["0", "1"])))
            drawing.links[-1].update(draw(NEW_KEYS))
    return {**drawing.document(), "zoo": draw(JSON_VALUES)}


def assert_holds(before: Any, after: Any) -> None:
    """Everything of `before` is in `after`."""
    if isinstance(before, dict):
        assert before.keys() <= after.keys()
        for key, value in before.items():
            assert_holds(value, after[key])
    elif isinstance(before, list):
        assert len(before) == len(after)
        for one, other in zip(before, after, strict=True):
            assert_holds(one, other)
    else:
        assert before == after


@given(documents())
def test_a_graph_that_is_written_and_read_is_the_same(document: dict[str, Any]) -> None:
    graph = read_drawn(document)
    again = read_drawn(json.loads(json.dumps(to_document(graph))))
    assert to_document(again) == to_document(graph)
    assert [n.id for n in again.nodes.values()] == [n.id for n in graph.nodes.values()]


@given(documents())
def test_writing_loses_no_key_of_todays_files(document: dict[str, Any]) -> None:
    links = document["linkDataArray"]
    document["linkDataArray"] = list(
        {(k["from"], k["fromPort"], k["to"], k["toPort"]): k for k in reversed(links)}.values()
    )[::-1]
    assert_holds({**document, "modelData": {}}, to_document(read_drawn(document)))


def test_an_old_graph_is_written_as_one_of_today() -> None:
    node = {"key": -1, "category": "memory", "text": "m", "fields": [], "colour": "red"}
    graph = read_drawn({"nodeDataArray": [node], "linkDataArray": []})
    document = to_document(graph)
    assert generation_of(document) is Generation.OJS_ID
    written = document["nodeDataArray"][0]
    assert (written["id"], written["name"], written["category"]) == ("-1", "m", "Memory")
    assert (written["key"], written["colour"]) == (-1, "red")
    assert document["modelData"]["schemaVersion"] == "OJS"


@pytest.mark.parametrize("name", ["g.graph", "g.graph.gz"])
def test_a_graph_is_saved_and_read(tmp_path: Path, name: str) -> None:
    drawing = Drawing()
    drawing.app("app")
    save(read_drawn(drawing.document()), tmp_path / name)
    assert list(read_drawn(tmp_path / name).nodes) == ["app"]


def test_a_palette_is_written_and_read(tmp_path: Path) -> None:
    drawing = Drawing()
    drawing.app("copy")
    drawing.data("memory")
    graph = read_drawn(drawing.document())
    path = tmp_path / "mine.palette"
    write_palette(Palette("mine", list(graph.nodes.values())), path)
    palette = read_palette(path)
    assert palette.name == "mine"
    assert [c.name for c in palette.components] == ["copy", "memory"]
    assert palette.component("copy").value("dropclass") == "dlg.apps.simple.CopyApp"
    with pytest.raises(KeyError):
        palette.component("none")


def test_what_is_no_palette_is_refused() -> None:
    with pytest.raises(InvalidGraphException, match="no palette"):
        read_palette('[{"oid": "a"}]')
