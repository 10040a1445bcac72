"""Interrupts from the keyboard while a session is being cancelled."""

from __future__ import annotations

import os
import shlex
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dlg.testing.graphs import app, data
from dlg_engine.embedded import RunInterrupted, run_graph

BASH = "dlg.apps.bash.BashShellApp"
FOR_EVER_S = 3600.0


@pytest.fixture(autouse=True)
def interrupts_come_through() -> Iterator[None]:
    """Let the main thread be interrupted, as it is where nobody has asked for anything else."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_a_second_interrupt_waits_for_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dlg_engine.sessions.session.GRACE_S", FOR_EVER_S)
    monkeypatch.setattr("dlg.apps.bash.GRACE_S", FOR_EVER_S)
    begun, told = tmp_path / "begun", tmp_path / "told"
    os.mkfifo(told)
    command = (
        f"trap 'echo told > {shlex.quote(str(told))}' TERM; touch {shlex.quote(str(begun))}; "
        "while true; do sleep 0.1; done"
    )

    def first(_progress: Any) -> None:
        if begun.exists():
            raise KeyboardInterrupt

    def second() -> None:
        told.read_text()  # returns once the command has been asked to end
        os.kill(os.getpid(), signal.SIGINT)

    helper = threading.Thread(target=second)
    helper.start()
    specs = [app("a", ["d"], BASH, command=command), data("d")]
    with pytest.raises(RunInterrupted) as caught:
        run_graph(specs, workdir=tmp_path, progress=first)
    helper.join()
    live = caught.value.report.drops.live
    with live.changed:
        assert live.changed.wait_for(lambda: live.idle, 30), "the command is still running"
    outcome = caught.value.report.drops["a"].outcome
    assert outcome.exit_code == -signal.SIGKILL
