"""Nobody sees the end of a session before all of it is there."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from dlg.reproducibility.levels import Level
from dlg.testing.graphs import chain
from dlg_engine.embedded import prepared
from dlg_engine.sessions.evidence import FILE, Witness
from dlg_engine.sessions.running import SessionRun
from dlg_engine.sessions.states import OVER

WAIT_S = 60.0


class SlowWitness(Witness):
    """Says when it begins to write, and writes when it may."""

    def __init__(self) -> None:
        super().__init__(Level.ALL)
        self.begun, self.go_on, self.times = threading.Event(), threading.Event(), 0

    def end(self, live: Any, directory: Path) -> Path:
        self.times += 1
        self.begun.set()
        assert self.go_on.wait(WAIT_S)
        return super().end(live, directory)


def test_a_session_is_over_when_its_evidence_is_there_whoever_looks(tmp_path: Path) -> None:
    session, close = prepared(chain(3), "inline", workdir=tmp_path)
    session.witness = witness = SlowWitness()
    session.add_graph(chain(3))
    session.deploy()
    run, seen = SessionRun(session, close), []

    def watch() -> None:
        assert run.watch(WAIT_S)
        seen.append((session.state.name, (session.directory / FILE).exists()))

    watchers = [threading.Thread(target=watch, daemon=True) for _ in range(4)]
    for watcher in watchers:
        watcher.start()
    assert witness.begun.wait(WAIT_S)
    assert session.state not in OVER
    witness.go_on.set()
    for watcher in watchers:
        watcher.join(WAIT_S)
    assert (seen, witness.times) == ([("FINISHED", True)] * 4, 1)
    assert len(run.collect().evidence()) == 2


@pytest.mark.parametrize("timeout", [0, 0.0])
def test_a_run_that_is_over_in_time_is_not_cancelled_because_nobody_looked(
    tmp_path: Path, timeout: float
) -> None:
    session, close = prepared(chain(3), "inline", workdir=tmp_path)
    session.add_graph(chain(3))
    session.deploy()
    run = SessionRun(session, close)
    assert run.watch(timeout)
    assert run.collect().status == "FINISHED"
