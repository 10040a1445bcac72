"""The graphs of `eagle-test-graphs` unroll to what the existing translator makes of them.

`existing.json` is what it makes of them; `record_existing.py` writes it.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dlg.exceptions import InvalidGraphException
from dlg_translator import unroll_graph
from dlg_translator.testing.fingerprint import fingerprint
from dlg_translator.testing.packaged import logical_graphs

GRAPHS = logical_graphs()
EXISTING = json.loads((Path(__file__).parent / "existing.json").read_text(encoding="utf-8"))
REFUSED = sorted(name for name, found in EXISTING.items() if "refused" in found)
ACCEPTED = sorted(EXISTING.keys() - REFUSED)
CLASSES = ["classes", "names"]
DIFFERENT = {
    # A node that names no class gets the one of its category.
    "reproGraphs/apps.graph": CLASSES,
    "translator/logical_graphs/Plasma_test.graph": CLASSES,
    # The data of a group-by has a category.
    "translator/logical_graphs/test_grpby_gather.graph": CLASSES,
}

pytestmark = pytest.mark.skipif(not GRAPHS, reason="eagle-test-graphs is not installed")


def test_every_graph_of_the_package_is_compared() -> None:
    assert GRAPHS.keys() == EXISTING.keys()


@pytest.mark.parametrize("name", ACCEPTED)
def test_a_packaged_graph_unrolls_to_what_the_existing_translator_makes(name: str) -> None:
    made = fingerprint(unroll_graph(GRAPHS[name]).to_dropspecs())
    assert [key for key in made if made[key] != EXISTING[name][key]] == DIFFERENT.get(name, [])


@pytest.mark.parametrize("name", ["engine/topoGraphs/testEmpty.graph"])
def test_an_empty_graph_unrolls_to_nothing(name: str) -> None:
    assert len(unroll_graph(GRAPHS[name])) == 0


def test_a_subgraph_on_which_the_existing_translator_breaks_off_is_unrolled() -> None:
    name = "translator/logical_graphs/ExampleSubgraphSimple.graph"
    assert name in REFUSED
    assert len(unroll_graph(GRAPHS[name])) == 7


def test_a_group_by_without_anything_to_group_is_refused_with_its_place() -> None:
    with pytest.raises(InvalidGraphException, match=r"/nodeDataArray/0 'Group By'"):
        unroll_graph(GRAPHS["reproGraphs/groupUse.graph"])
