"""An app that is run in another process: what comes back."""

from __future__ import annotations

import threading
from typing import Any

from dlg.data.memory import InMemoryDROP
from dlg.ddap_protocol import DROPStates as S
from dlg.drops.app_base import BarrierAppDROP
from dlg.drops.remote import RemoteFailure, apply_outcome, make_job
from dlg.testing.expectations import far_away


class TwoFactsError(Exception):
    """Cannot travel, as many exceptions of the world cannot."""

    def __init__(self, first: str, second: str) -> None:
        super().__init__(f"{first} and {second}")
        # Where a library has taught exceptions to be pickled, two arguments are no hindrance.
        self.held = threading.Lock()


class Failing(BarrierAppDROP):
    __slots__ = ()

    def run(self) -> None:
        raise TwoFactsError("this", "that")


class Mixed(BarrierAppDROP):
    __slots__ = ()

    def run(self) -> None:
        self.outputs[0].skip()
        self.outputs[1].setError(OSError("lost"))
        self.outputs[2].write(b"whole")
        self.outputs[2].setCompleted()
        self.outputs[3].write(b"begun")


def away(app: Any) -> BaseException | None:
    live, row = app._graph, app._row
    return apply_outcome(live, row, far_away(make_job(live, row, "dlg-test-")))


def test_a_failure_that_cannot_travel_is_told_with_its_text_and_traceback() -> None:
    failure = away(Failing("a"))
    assert isinstance(failure, RemoteFailure)
    assert str(failure) == "TwoFactsError: this and that"
    assert "in run" in failure.remote_traceback


def test_outputs_end_as_the_app_ended_them() -> None:
    app = Mixed("a")
    outputs = [InMemoryDROP(uid) for uid in ("skipped", "failed", "whole", "begun")]
    for drop in outputs:
        app.addOutput(drop)
    assert away(app) is None
    assert [drop.status for drop in outputs] == [S.SKIPPED, S.ERROR, S.COMPLETED, S.WRITING]
    assert str(outputs[1].failure) == "lost"
    assert outputs[2].contents() == b"whole"
