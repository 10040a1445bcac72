"""`dlg resume`: how people come to it."""

from __future__ import annotations

from pathlib import Path

from dlg.testing import graphs
from tests.dlg_engine.cli.conftest import Dlg, Write, function_app

NEEDS_A_FILE = "def f():\n    return __import__('pathlib').Path('flat.txt').read_text()"


def test_a_run_that_failed_says_how_to_go_on_and_so_it_goes_on(dlg: Dlg, write: Write) -> None:
    graph = write("g.json", [function_app("a", NEEDS_A_FILE, ["d"]), graphs.data("d")])
    for first in (dlg("run", graph, "--resumable", "-q"), dlg("run", graph, "--resumable")):
        assert first.exit_code == 1
        told = first.stderr.splitlines()[-1]
        assert told.startswith("to go on with it: dlg resume dlg-runs/g-")
    command = told.partition("dlg ")[2].split()
    again = dlg(*command)
    assert (again.exit_code, again.stderr.splitlines()[-1]) == (1, told)
    Path("flat.txt").write_text("flat")
    done = dlg(*command)
    assert (done.exit_code, done.stderr) == (0, "")


def test_a_run_that_cannot_go_on_does_not_say_so(dlg: Dlg, write: Write) -> None:
    graph = write("g.json", [function_app("a", NEEDS_A_FILE, ["d"]), graphs.data("d")])
    assert "resume" not in dlg("run", graph).output
