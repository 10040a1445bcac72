"""An app that waits."""

from __future__ import annotations

from typing import ClassVar

from dlg.drops import ports
from dlg.drops.app_base import BarrierAppDROP
from dlg.drops.parameters import dlg_float_param


class SleepApp(BarrierAppDROP):
    """Waits for `sleep_time` seconds, which may come in through a port of that name.

    Cancelling ends the wait at once.
    """

    __slots__ = ()

    transient: ClassVar[bool] = True
    runs_here: ClassVar[bool] = True

    sleep_time = dlg_float_param("seconds to wait", 0.0)

    def run(self) -> None:
        """Wait."""
        self.wait(ports.parameter(self, "sleep_time"))
