"""Apps that end as they are told, for tests of engines and runners."""

from __future__ import annotations

from typing import Any, ClassVar

from dlg.ddap_protocol import DROPStates
from dlg.drops.app_base import AppDROP, BarrierAppDROP
from dlg.drops.parameters import dlg_string_param


class OutcomeError(Exception):
    """The failure of an app that was told to fail."""


class OutcomeApp(BarrierAppDROP):
    """Does nothing and then ends as `outcome` says.

    `finish`: well. `fail`: with an `OutcomeError`. `skip`: by skipping its first output, as a
    branch does. `flaky`: with an error the first time it is tried.
    """

    __slots__ = ("_tried",)

    OUTCOMES: ClassVar[tuple[str, ...]] = ("finish", "fail", "skip", "flaky")

    outcome = dlg_string_param("how the app ends", "finish")

    def run(self) -> None:
        """End as told."""
        if self.outcome == "fail":
            raise OutcomeError(f"{self.uid} was told to fail")
        if self.outcome == "skip" and self.outputs:
            self.outputs[0].skip()
        if self.outcome == "flaky" and not hasattr(self, "_tried"):
            self._tried = True
            raise OutcomeError(f"{self.uid} was told to fail the first time")


class PiecesApp(BarrierAppDROP):
    """Writes ten pieces of ten bytes to each output."""

    __slots__ = ()

    def run(self) -> None:
        """Write, a piece at a time."""
        for number in range(10):
            for output in self.outputs:
                output.write(str(number) * 10)


class CountingApp(AppDROP):
    """Counts the bytes of a streaming input, and writes the number when that has ended."""

    __slots__ = ("count",)

    count: int

    def initialize(self, **kwargs: Any) -> None:
        """Start with nothing."""
        self.count = 0

    def dataWritten(self, uid: str, data: bytes) -> None:
        """Count a piece."""
        self.count += len(data)

    def dropCompleted(self, uid: str, drop_state: DROPStates) -> None:
        """Write the number and be done."""
        for output in self.outputs:
            output.write(str(self.count))
        self._notifyAppIsFinished()


class JoiningApp(BarrierAppDROP):
    """Writes its uid and all that is in its inputs, those that are there, to each output."""

    __slots__ = ()

    def run(self) -> None:
        """Write."""
        there = [drop for drop in self.inputs if drop.status is DROPStates.COMPLETED]
        whole = b"+".join([self.uid.encode(), *(drop.contents() for drop in there)])
        for output in self.outputs:
            output.write(b"(" + whole + b")")
