"""What is told of drops on other nodes: results, tracebacks, logs."""

from __future__ import annotations

from pathlib import Path

import pytest

from dlg.clients import MasterManagerClient
from dlg.testing import graphs
from dlg_engine.daemon.local_cluster import LocalCluster
from tests.dlg_engine.cli.conftest import (
    PATIENCE_S,
    Dlg,
    Start,
    Write,
    failing,
    function_app,
    until_it_runs,
)

TUTORIAL = str(Path(__file__).parents[3] / "graphs" / "tutorial" / "tutorial.graph")


def test_a_graph_is_followed_to_its_end_and_its_results_are_told(
    dlg: Dlg, cluster: LocalCluster, at: tuple[str, ...]
) -> None:
    result = dlg("submit", TUTORIAL, *at)
    assert result.exit_code == 0, result.output
    assert "39 drops on 3 nodes of " in result.stderr
    assert "FINISHED: 39 drops, 3 nodes, run " in result.stdout
    (line,) = [line for line in result.stdout.splitlines() if line.startswith("  catalogue.csv")]
    path, _, node = line.split(maxsplit=1)[1].partition(" on ")
    assert Path(path.partition(" (")[0]).read_text().count("\n") > 10
    assert node in [one.name for one in cluster.nodes]
    assert "  summary " in result.stdout


def test_a_failure_is_told_with_drop_node_reason_and_traceback(
    dlg: Dlg, cluster: LocalCluster, at: tuple[str, ...], write: Write
) -> None:
    result = dlg("submit", write("failing.json", failing()), *at)
    assert result.exit_code == 1
    (line,) = [line for line in result.stdout.splitlines() if line.startswith("drop 'bad'")]
    assert any(
        f"failed on {node.name}: ValueError: no such star" in line for node in cluster.nodes
    )
    assert "  | ValueError: no such star" in result.stdout
    assert "3 drops stopped by it" in result.stdout
    assert "FAILED: 4 drops" in result.stdout


def test_logs_are_followed_until_the_session_is_over(
    start: Start, dlg: Dlg, master: MasterManagerClient, at: tuple[str, ...], waiting: str,
    gate: Path,
) -> None:  # fmt: skip
    dlg("submit", waiting, *at, "--session", "logged", "--detach")
    until_it_runs(master, "logged")
    process = start("logs", "logged", *at, "--follow")
    gate.write_text("open")
    told, errors = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, errors
    assert told.splitlines() == dlg("logs", "logged", *at).stdout.splitlines()


def test_logs_of_a_drop_are_those_of_that_drop(
    dlg: Dlg, at: tuple[str, ...], write: Write
) -> None:
    code = "def f():\n    import logging\n    logging.getLogger('stars').warning('Vega is bright')"
    specs = [function_app("says", code, ["d"]), graphs.data("d")]
    assert dlg("submit", write("g.json", specs), *at, "--session", "said").exit_code == 0
    assert "Vega is bright" in dlg("logs", "said", "says", *at).stdout
    assert "Vega is bright" in dlg("logs", "said", *at).stdout
    assert "Vega is bright" not in dlg("logs", "said", "d", *at).stdout


def test_results_of_a_big_graph_are_counted_only(
    dlg: Dlg, at: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dlg_engine.cli.submit.BIG", 38)
    result = dlg("submit", TUTORIAL, *at)
    assert "results: 3, each to be seen on the page" in result.stdout
    assert "catalogue.csv" not in result.stdout
