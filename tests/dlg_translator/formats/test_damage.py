"""However a file is damaged, it is read or refused, and never crashes the reader."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlg.exceptions import InvalidGraphException
from dlg_translator.formats import read_all, read_palette, to_document
from dlg_translator.testing.drawing import Drawing

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner),
    max_leaves=4,
)


def today() -> dict[str, Any]:
    drawing = Drawing()
    scatter = drawing.scatter("scatter", 4)
    drawing.embed(scatter, "split")
    drawing.link(scatter, drawing.data("part", inside=scatter))
    drawing.link("part", drawing.app("app", inside=scatter, text="{n}"))
    drawing.link("app", drawing.data("result", inside=scatter))
    gather = drawing.gather("gather", 2)
    drawing.embed(gather, "join")
    drawing.link("result", gather)
    drawing.construct("group", "GroupBy", group_key="scatter")
    drawing.node("globals", "GlobalVariable", "Data", n=1)
    values = {"fields": {"scatter.num_of_copies": {"value": 2}}}
    drawing.configurations = {"c": {"nodes": {"scatter": values}}}
    drawing.active_config = "c"
    return drawing.document()


def by_key() -> dict[str, Any]:
    ports = {k: [{"Id": k, "IdText": k}] for k in ("inputPorts", "outputLocalPorts")}
    nodes = [
        {"key": -1, "category": "SplitData", "text": "s", "application": "BashShellApp", **ports},
        {"key": -2, "group": -1, "category": "memory", "text": "m", "fields": [], **ports},
        {"key": -3, "category": "PythonApp", "applicationArgs": [{"name": "a", "value": 1}]},
    ]
    links = [{"from": -1, "fromPort": "outputLocalPorts", "to": -2, "toPort": "inputPorts"}]
    return {"modelData": {}, "nodeDataArray": nodes, "linkDataArray": links}


def newest() -> dict[str, Any]:
    field = {"f": {"id": "f", "name": "f", "usage": "OutputPort", "value": ""}}
    nodes = {
        "s": {"category": "Scatter", "inputApplicationId": "a", "parentId": None, "fields": {}},
        "a": {"category": "PythonApp", "embedId": "s", "fields": field},
        "m": {"category": "Memory", "parentId": "s", "fields": field},
    }
    edge = {"srcNodeId": "a", "srcPortId": "f", "destNodeId": "m", "destPortId": "f"}
    return {"modelData": {"schemaVersion": "V4"}, "nodes": nodes, "edges": {"e": edge}}


def places(piece: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    entries = piece.items() if isinstance(piece, dict) else enumerate(piece)
    for key, value in entries:
        yield (*path, key)
        if isinstance(value, dict | list):
            yield from places(value, (*path, key))


WHOLE = [today(), by_key(), newest()]
PLACES = [(k, path) for k, document in enumerate(WHOLE) for path in places(document)]


def assert_read_or_refused(read: Callable[[Any], object], source: Any) -> None:
    """A refusal tells why; anything else that is raised fails the test."""
    try:
        read(source)
    except InvalidGraphException as error:
        reasons = error.problems
    else:
        return
    assert reasons


def rewrite(document: Any) -> None:
    to_document(read_all(document, parameters={"scatter.num_of_copies": 3}))


@given(st.sampled_from(PLACES), ANYTHING, st.booleans())
def test_a_damaged_document_is_read_or_refused(
    place: tuple[int, tuple[Any, ...]], value: Any, remove: bool
) -> None:
    which, path = place
    document = copy.deepcopy(WHOLE[which])
    holder: Any = document
    for key in path[:-1]:
        holder = holder[key]
    if remove:
        del holder[path[-1]]
    else:
        holder[path[-1]] = value
    for read in (read_all, read_palette, rewrite):
        assert_read_or_refused(read, document)


@given(st.binary(max_size=20) | st.text(max_size=20).map(str.encode))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    assert_read_or_refused(read_all, content)


@given(st.sampled_from(WHOLE), st.data())
def test_a_file_that_was_cut_off_is_refused(document: dict[str, Any], data: st.DataObject) -> None:
    text = json.dumps(document)
    cut = data.draw(st.integers(1, len(text) - 1))
    with pytest.raises(InvalidGraphException, match="invalid-json"):
        read_all(text[:cut])
