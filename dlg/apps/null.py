"""An app that does nothing."""

from __future__ import annotations

from typing import ClassVar

from dlg.drops.app_base import BarrierAppDROP


class NullBarrierApp(BarrierAppDROP):
    """Does nothing once its inputs are there: holds a place in a graph, or joins branches."""

    __slots__ = ()

    transient: ClassVar[bool] = True
    runs_here: ClassVar[bool] = True
