"""Graphs from dropspecs to the end, in this process."""

from __future__ import annotations

import pytest

from dlg.testing.graphs import chain, fan, fan_gather, stencil
from dlg_engine.embedded import run_graph


@pytest.mark.parametrize("runner", ["inline", "threads"])
@pytest.mark.parametrize("specs", [chain(100), fan(100), fan_gather(100), stencil(10, 10)])
def test_a_graph_of_apps_that_do_nothing_finishes(
    specs: list[dict[str, object]], runner: str, tmp_path: object
) -> None:
    report = run_graph(specs, runner=runner, workdir=str(tmp_path))
    assert report.status == "FINISHED"
    assert report.counts == {"COMPLETED": len(specs)}
