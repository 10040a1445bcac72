"""The view of a set of a database: which data there is, and how to get one of it."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from dlg.beat.database import View as BaseView


class Row(NamedTuple):
    """What one index of data has: a value for each output."""

    out: int


class View(BaseView):
    """The view that a declaration names."""

    def index(self, root_folder: str, parameters: Mapping[str, Any]) -> list[Row]:
        """Return a row for each index of data."""
        return [Row(number) for number in range(10)]

    def get(self, output: str, index: int) -> dict[str, Any]:
        """Return the data of an output at an index."""
        return {"value": np.int32(getattr(self.objs[index], output))}
