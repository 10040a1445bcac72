"""Cut volumes of real graphs, compared with those of the existing translator's METIS."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dlg_translator import partition_graph, unroll_graph
from dlg_translator.schedule.order import is_acyclic

GRAPHS = Path(__file__).parents[4] / "shared" / "graphs"
EXPECTED = GRAPHS / "expected.json"

pytestmark = [
    pytest.mark.skipif(not EXPECTED.exists(), reason=f"the graphs of users are not in {GRAPHS}"),
]


def _expected() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = json.loads(EXPECTED.read_text())
    return {
        name: facts
        for name, facts in found.items()
        if facts["status"] == "ok" and facts["metis4"]["cut_weight"] is not None
    }


@pytest.fixture(scope="module")
def cuts() -> dict[str, tuple[float, float]]:
    """The cut volume of each graph in four parts: the existing translator's, and ours."""
    pytest.importorskip("pymetis", reason="the extra `partition` is not installed")
    found = {}
    for name, facts in _expected().items():
        template = unroll_graph(GRAPHS / name)
        divided = partition_graph(template, "metis", parts=4)
        # Where comments became drops, or there is a cycle, it is another graph.
        if len(template) == facts["n_drops"] and is_acyclic(divided.dag):
            ours = divided.objectives.total_data_movement
            found[name] = facts["metis4"]["cut_weight"], ours
    return found


def test_no_cut_is_worse_by_more_than_two_percent(cuts: dict[str, tuple[float, float]]) -> None:
    assert len(cuts) >= 20
    worse = {name: both for name, both in cuts.items() if both[1] > 1.02 * both[0]}
    assert not worse


def test_cuts_are_better_on_average(cuts: dict[str, tuple[float, float]]) -> None:
    ratios = [ours / theirs for theirs, ours in cuts.values() if theirs]
    assert sum(ratios) / len(ratios) < 0.95
