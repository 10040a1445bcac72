"""Sources of given intervals, in memory."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from dlg.beat.baseformat import make_type
from dlg.beat.sources import DataSource

NUMBER = make_type("u/n/1", {"value": "int32"})


class Units(DataSource):
    """The value of each unit is its start; `asked` has the places that were read."""

    def __init__(self, intervals: Sequence[Sequence[int]]) -> None:
        super().__init__()
        self.kind = NUMBER
        self.asked: list[int] = []
        self._has([(start, end) for start, end in intervals])

    def _packed(self, index: int) -> bytes:
        self.asked.append(index)
        return struct.pack("<i", self._starts[index])
