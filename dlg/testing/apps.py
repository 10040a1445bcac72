"""Apps that end as they are told, for tests of engines and runners."""

from __future__ import annotations

from typing import ClassVar

from dlg.drops.app_base import BarrierAppDROP
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
