"""Random graphs, failures and tolerances end as a ten-line model says, whatever runs them."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dlg.ddap_protocol import DROPStates as S
from dlg.testing.graphs import layered
from dlg_engine.embedded import run_graph
from dlg_engine.runners import make_runner

OUTCOME_APP = "dlg.testing.apps.OutcomeApp"
RELEASED = {S.DELETED: S.COMPLETED, S.EXPIRED: S.COMPLETED}
"""Data that was released after use had been completed."""


@st.composite
def cases(draw: st.DrawFn) -> dict[str, Any]:
    n = draw(st.integers(1, 14))
    outcomes = st.sampled_from(["finish", "finish", "finish", "fail", "skip"])
    thresholds = st.sampled_from([0, 33, 50, 100])
    return {
        "inputs": {
            i: sorted(draw(st.sets(st.integers(0, i - 1), max_size=4))) if i else []
            for i in range(n)
        },
        "outcome": draw(st.lists(outcomes, min_size=n, max_size=n)),
        "input_error_threshold": draw(st.lists(thresholds, min_size=n, max_size=n)),
        "block_skip": draw(st.lists(st.booleans(), min_size=n, max_size=n)),
    }


def expected(case: dict[str, Any]) -> dict[str, S]:
    """Return how each app and its output must end."""
    end: dict[str, S] = {}
    for i, before in case["inputs"].items():
        states = [end[f"d{j}"] for j in before] or [S.COMPLETED]
        bad, skipped = states.count(S.ERROR), states.count(S.SKIPPED)
        own = {"fail": S.ERROR}.get(case["outcome"][i], S.COMPLETED)
        if bad and bad * 100 // len(states) > case["input_error_threshold"][i]:
            own = S.ERROR
        elif skipped == len(states) or (skipped and not case["block_skip"][i]):
            own = S.SKIPPED
        end[f"a{i}"] = own
        gone = own is S.COMPLETED and case["outcome"][i] == "skip"
        end[f"d{i}"] = S.SKIPPED if gone else own
    return end


def ends(specs: Sequence[dict[str, Any]], runner: Any) -> dict[str, S]:
    with tempfile.TemporaryDirectory() as workdir:
        report = run_graph(list(specs), runner=runner, workdir=workdir, timeout=60)
    assert report.status in {"FINISHED", "FAILED"}, report.reason
    live = report.drops.live
    states = {uid: S(live.flow.status[row]) for row, uid in enumerate(live.uids)}
    return {uid: RELEASED.get(state, state) for uid, state in states.items() if uid != "root"}


@pytest.fixture(scope="module", params=["inline", "threads", "processes"])
def runner(request: pytest.FixtureRequest) -> Any:
    made = make_runner(request.param, None if request.param == "inline" else 3)
    yield made
    made.close()


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(case=cases())
def test_final_states_are_those_of_the_reference_model(runner: Any, case: dict[str, Any]) -> None:
    parameters = {k: v for k, v in case.items() if k != "inputs"}
    specs = layered(case["inputs"], OUTCOME_APP, **parameters)
    assert ends(specs, runner) == expected(case)
