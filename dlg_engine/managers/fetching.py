"""The app that brings data from another node: the receiving end of every link between nodes."""

from __future__ import annotations

from typing import ClassVar

from dlg.drops.app_base import BarrierAppDROP
from dlg.drops.parameters import dlg_string_param
from dlg.exceptions import InvalidDropException


class Fetch(BarrierAppDROP):
    """Writes what data `wanted` holds on node `source` into its one output.

    A split graph has these (`dlg_engine.managers.split`); nobody draws them. It has no inputs and
    is started by the news that the data there is complete.
    """

    __slots__ = ()

    runs_here: ClassVar[bool] = True

    source = dlg_string_param("the node that has the data", "")
    wanted = dlg_string_param("the oid of the data there", "")

    def run(self) -> None:
        """Bring the data."""
        courier = self._graph.surroundings.courier
        if courier is None:
            raise InvalidDropException(self, "there are no other nodes to fetch data from")
        (output,) = self.outputs
        courier.bring(self.source, self.session_id, self.wanted, output)
