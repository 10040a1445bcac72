"""Apps that end the process that runs them, or fail as nobody else can read."""

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


class OddError(Exception):
    """An error that is known only in the process that has raised it."""

    def __reduce__(self) -> tuple[object, tuple[int]]:
        return only_in, (os.getpid(),)


def only_in(pid: int) -> OddError:
    """Return the error in its process."""
    if os.getpid() != pid:
        raise ImportError("nobody here knows an odd error")
    return OddError()


class OddApp(BarrierAppDROP):
    """Fails with such an error."""

    __slots__ = ()

    def run(self) -> None:
        """Fail."""
        raise OddError
