"""Tests of `dlg run --engine`."""

from __future__ import annotations

from pathlib import Path

import pytest

from dlg.testing import graphs
from tests.dlg_engine.cli.conftest import Dlg, Write

TUTORIAL = Path(__file__).parents[3] / "graphs/tutorial/tutorial.graph"


def test_an_option_of_another_engine_is_a_mistake_of_the_user(dlg: Dlg, write: Write) -> None:
    done = dlg("run", write("chain.pg", graphs.chain(1)), "--scheduler", "tcp://127.0.0.1:1")
    assert isinstance(done.exception, SystemExit) or done.exit_code == 2
    assert "the engine embedded has no option 'scheduler'" in done.output


def test_managers_have_a_command_of_their_own(dlg: Dlg, write: Write) -> None:
    done = dlg("run", write("chain.pg", graphs.chain(1)), "--engine", "managers")
    assert "dlg submit" in done.output


def test_a_misspelt_engine_gets_a_suggestion(dlg: Dlg, write: Write) -> None:
    done = dlg("run", write("chain.pg", graphs.chain(1)), "--engine", "dusk")
    assert "did you mean 'dask'?" in done.output


@pytest.mark.slow
def test_the_tutorial_graph_is_the_same_on_dask(dlg: Dlg) -> None:
    pytest.importorskip("distributed", reason="the extra dask is not installed")
    for place, engine in (("here", "embedded"), ("there", "dask")):
        done = dlg("run", str(TUTORIAL), "--engine", engine, "--workers", "2", "--repro", "all",
                   "--workdir", place, "--quiet")  # fmt: skip
        assert done.exit_code == 0, done.output
    here, there = (str(next(Path(place).iterdir())) for place in ("here", "there"))
    done = dlg("repro", "compare", here, there)
    assert done.output.count("same") == 7, done.output
