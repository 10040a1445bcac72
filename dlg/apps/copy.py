"""Apps that copy their inputs to their outputs."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

from dlg.ddap_protocol import DROPStates
from dlg.drops import ports
from dlg.drops.app_base import BarrierAppDROP
from dlg.drops.contents import copyDropContents
from dlg.drops.parameters import dlg_float_param, dlg_int_param


class CopyApp(BarrierAppDROP):
    """Copies all inputs, one after the other, to every output.

    One input is handed to outputs in memory as the object it is; several are joined as bytes. A
    container stands for the drops it holds, a directory is copied whole.
    """

    __slots__ = ()

    transient: ClassVar[bool] = True
    runs_here: ClassVar[bool] = True

    bufsize = dlg_int_param("bytes copied at a time", 1 << 20)

    def run(self) -> None:
        """Copy."""
        self.copy_all()

    def copy_all(self) -> None:
        """Copy all inputs to every output."""
        sources = [leaf for drop in self.inputs for leaf in _leaves(drop)]
        sources = [drop for drop in sources if drop.status is DROPStates.COMPLETED]
        for output in self.outputs:
            self._copy(sources, output)

    def _copy(self, sources: list[Any], output: Any) -> None:
        if len(sources) == 1 and self._hand_over(sources[0], output):
            return
        for source in sources:
            path = getattr(source, "path", None)
            if path is not None and Path(path).is_dir():
                shutil.copytree(path, output.path, dirs_exist_ok=True)
            else:
                copyDropContents(source, output, self.bufsize)

    def _hand_over(self, source: Any, output: Any) -> bool:
        """Hand an object in memory over as it is; return whether that was possible."""
        if not hasattr(source, "hand_over") or not hasattr(output, "hand_over"):
            return False
        return bool(source.hand_over(output))


class SleepAndCopyApp(CopyApp):
    """Waits for `sleep_time` seconds and then copies."""

    __slots__ = ()

    sleep_time = dlg_float_param("seconds to wait", 0.0)

    def run(self) -> None:
        """Wait, then copy."""
        if self.wait(ports.parameter(self, "sleep_time")):
            self.copy_all()


def _leaves(drop: Any) -> Iterator[Any]:
    """Yield the drops that hold data behind `drop`: itself, or what a container holds."""
    stack = [drop]
    while stack:
        found = stack.pop()
        children = getattr(found, "children", None)
        if children:
            stack.extend(reversed(children))
        else:
            yield found
