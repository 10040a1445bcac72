"""Apps that sum their input."""

from __future__ import annotations

from typing import Any

from dlg.ddap_protocol import AppDROPStates, DROPStates
from dlg.drops.app_base import AppDROP, BarrierAppDROP
from dlg.drops.contents import DROPFile
from dlg.drops.parameters import dlg_int_param
from dlg.exceptions import InvalidDropException
from dlg.support.checksums import crc32


class CRCApp(BarrierAppDROP):
    """Writes the CRC-32 of its one input, as decimal text, to every output."""

    __slots__ = ()

    bufsize = dlg_int_param("bytes read at a time", 1 << 20)

    def run(self) -> None:
        """Read the input and write its sum."""
        if len(self.inputs) != 1:
            raise InvalidDropException(self, f"needs one input, has {len(self.inputs)}")
        value = 0
        with DROPFile(self.inputs[0]) as source:
            while piece := source.read(self.bufsize):
                value = crc32(piece, value)
        for output in self.outputs:
            output.write(str(value))


class CRCStreamApp(AppDROP):
    """Sums its streaming input while it is written, and writes the CRC-32 when it is complete."""

    __slots__ = ("_crc",)

    _crc: int

    def dataWritten(self, uid: str, data: Any) -> None:
        """Sum what came."""
        self._crc = crc32(data, getattr(self, "_crc", 0))

    def dropCompleted(self, uid: str, drop_state: DROPStates) -> None:
        """Write the sum, unless the input came to a bad end."""
        if drop_state is DROPStates.COMPLETED:
            for output in self.outputs:
                output.write(str(getattr(self, "_crc", 0)))
        elif drop_state is DROPStates.SKIPPED:
            self.execStatus = AppDROPStates.SKIPPED
        else:
            self.execStatus = AppDROPStates.ERROR
        self._notifyAppIsFinished()
