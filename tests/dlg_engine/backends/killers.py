"""Apps that end the process that runs them."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from dlg.drops.app_base import BarrierAppDROP
from dlg.drops.parameters import dlg_int_param, dlg_string_param


class KillerApp(BarrierAppDROP):
    """Kills its process the first `deaths` times it is run, and notes each in `log`."""

    __slots__ = ()

    deaths = dlg_int_param("how often", 1)
    log = dlg_string_param("a file with a line for each death", "")

    def run(self) -> None:
        """Die, or write how often that was."""
        path = Path(self.log)
        died = len(path.read_text().splitlines()) if path.exists() else 0
        if died < self.deaths:
            with path.open("a") as file:
                file.write("died\n")
            os.kill(os.getpid(), signal.SIGKILL)
        for output in self.outputs:
            output.write(str(died))
