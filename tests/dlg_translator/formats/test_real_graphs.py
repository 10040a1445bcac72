"""Graphs that people have drawn: all are read, and none is changed by being written."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest

from dlg.graph.problems import errors
from dlg_translator.formats import is_logical_graph, read_all, read_drawn, to_document
from dlg_translator.formats.versions import generation_of

SHARED = Path(__file__).parents[3] / "../shared/graphs"
GENERATIONS = {"ojs-id": "OJS, by id", "ojs-key": "OJS, by key", "v4": "V4"}


def shared() -> list[Path]:
    return sorted(SHARED.glob("*/*.graph"))


def packaged() -> list[Path]:
    spec = importlib.util.find_spec("daliuge_tests")
    folders = list(spec.submodule_search_locations or ()) if spec is not None else []
    found = [path for folder in folders for path in sorted(Path(folder).rglob("*.graph"))]
    return [p for p in found if is_logical_graph(json.loads(p.read_text(encoding="utf-8")))]


ALL = [*shared(), *packaged()]


@pytest.mark.skipif(not shared(), reason=f"{SHARED} is not there")
def test_there_are_fifty_shared_graphs() -> None:
    assert len(shared()) == 50


@pytest.mark.skipif(not packaged(), reason="eagle-test-graphs is not installed")
def test_the_logical_graphs_of_the_package_are_found() -> None:
    assert len(packaged()) > 50


@pytest.mark.parametrize("path", ALL, ids=lambda p: f"{p.parent.name}/{p.stem}"[-60:])
def test_a_real_graph_has_no_errors(path: Path) -> None:
    assert errors(read_all(path).problems) == []


@pytest.mark.parametrize("path", shared(), ids=lambda p: f"{p.parent.name}/{p.stem}"[-60:])
def test_the_generation_of_a_real_graph_is_recognised(path: Path) -> None:
    document = json.loads(path.read_text(encoding="utf-8"))
    assert generation_of(document) == GENERATIONS[path.parent.name]


@pytest.mark.parametrize("path", ALL, ids=lambda p: f"{p.parent.name}/{p.stem}"[-60:])
def test_a_real_graph_that_is_written_and_read_is_the_same(path: Path) -> None:
    document = to_document(read_drawn(path))
    assert to_document(read_drawn(json.loads(json.dumps(document)))) == document


@pytest.mark.parametrize("path", shared(), ids=lambda p: f"{p.parent.name}/{p.stem}"[-60:])
def test_circles_are_found_where_there_are_some(path: Path) -> None:
    expected = json.loads((SHARED / "expected.json").read_text(encoding="utf-8"))
    acyclic = expected[f"{path.parent.name}/{path.name}"]["acyclic"]
    if acyclic is None:
        pytest.skip("the existing translator refuses this graph")
    assert ("cycle" in {p.code for p in read_all(path).problems}) is not acyclic
