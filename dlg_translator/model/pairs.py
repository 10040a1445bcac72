"""The links of a wire as arrays of rows, and what each end of them is called in a dropspec."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dlg_translator.model.plan import Wire

Rows = npt.NDArray[np.int32]


@dataclass(frozen=True)
class WirePairs:
    """The links of one wire: row `src[k]` to row `dst[k]`."""

    wire: Wire
    src: Rows
    dst: Rows
    to_app: bool = True

    @property
    def app_key(self) -> str:
        """The key of the app's dropspec that lists these links."""
        if not self.to_app:
            return "outputs"
        return "streamingInputs" if self.wire.streaming else "inputs"

    @property
    def data_key(self) -> str:
        """The key of the other side's dropspec."""
        if not self.to_app:
            return "producers"
        return "streamingConsumers" if self.wire.streaming else "consumers"
