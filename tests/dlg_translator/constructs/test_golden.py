"""The smallest graph of each construct unrolls to the text that stands beside it."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest

from dlg_translator import unroll_graph
from dlg_translator.testing.readable import readable

HERE = Path(__file__).parents[3] / "graphs/constructs"
GRAPHS = sorted(HERE.glob("*.graph"))
CONSTRUCTS = ("scatter", "gather", "groupby", "loop", "mkn", "subgraph", "service")


@pytest.mark.parametrize("path", GRAPHS, ids=lambda path: path.stem)
def test_a_construct_unrolls_to_what_stands_beside_it(path: Path) -> None:
    expected = path.with_suffix(".txt").read_text(encoding="utf-8")
    assert readable(unroll_graph(path).to_dropspecs()) == expected


@pytest.mark.parametrize("outer", CONSTRUCTS)
@pytest.mark.parametrize("inner", CONSTRUCTS)
def test_there_is_a_graph_for_every_pair_of_nested_constructs(outer: str, inner: str) -> None:
    assert HERE / f"{outer}-{inner}.graph" in GRAPHS


def test_the_graphs_are_those_the_program_draws() -> None:
    spec = importlib.util.spec_from_file_location("draw", HERE / "draw.py")
    assert spec is not None
    assert spec.loader is not None
    program = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(program)
    drawn = {name: drawing.document() for name, drawing in program.drawings().items()}
    assert {p.stem: json.loads(p.read_text(encoding="utf-8")) for p in GRAPHS} == drawn
