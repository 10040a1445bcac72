"""Random graphs end in the same states and bytes on all engines."""

from __future__ import annotations

import tempfile
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dlg import plugins
from dlg.testing.graphs import layered
from dlg_engine.backends import shipping
from dlg_engine.testing.engine_contract import ends

pytestmark = pytest.mark.slow

OUTCOME = "dlg.testing.apps.OutcomeApp"
JOINING = "dlg.testing.apps.JoiningApp"


@st.composite
def cases(draw: st.DrawFn) -> list[dict[str, Any]]:
    n = draw(st.integers(1, 12))
    inputs = {
        i: sorted(draw(st.sets(st.integers(0, i - 1), max_size=4))) if i else [] for i in range(n)
    }
    outcomes = st.sampled_from(["finish", "finish", "finish", "fail", "skip", "join", "join"])
    chosen = draw(st.lists(outcomes, min_size=n, max_size=n))
    specs = layered(
        inputs, OUTCOME, outcome=[c if c != "join" else "finish" for c in chosen],
        input_error_threshold=draw(st.lists(st.sampled_from([0, 33, 50, 100]), min_size=n,
                                            max_size=n)),
        block_skip=draw(st.lists(st.booleans(), min_size=n, max_size=n)),
    )  # fmt: skip
    for spec in specs:
        if spec["oid"].startswith("a") and chosen[int(spec["oid"][1:])] == "join":
            spec["dropclass"] = JOINING
    return specs


@settings(
    max_examples=20, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(specs=cases(), sizes=st.sampled_from([{"FIRST": 256}, {"FIRST": 1, "NEXT": 2, "EACH": 1}]))
def test_random_graphs_end_in_the_same_states_and_bytes(
    dask: dict[str, Any], manager: str, specs: Any, sizes: Any
) -> None:
    with tempfile.TemporaryDirectory() as workdir, patch.multiple(shipping, **sizes):
        here = plugins.engine()(specs, workdir=workdir, timeout=100)
        others = [
            plugins.engine("dask")(specs, workdir=workdir, timeout=100, **dask),
            plugins.engine("managers")(specs, timeout=100, manager=manager),
        ]
    for there in others:
        assert ends(there) == ends(here)
        assert {e.uid: e.exception for e in there.errors} == {
            e.uid: e.exception for e in here.errors
        }
        assert {u: there.result(u) for u in here.leaves} == {
            u: here.result(u) for u in here.leaves
        }
