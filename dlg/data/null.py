"""Data that goes nowhere: tokens that say that something has been done."""

from __future__ import annotations

from typing import Any, ClassVar

from dlg.drops.data_base import DataDROP
from dlg.drops.io import DataIO, NullIO
from dlg.states.steps import GATE
from dlg.support import serialize


class NullDROP(DataDROP):
    """Forgets what is written to it; its completion is what counts."""

    __slots__ = ()

    holds_data: ClassVar[bool] = False

    def getIO(self) -> DataIO:
        """Return an I/O that forgets."""
        return NullIO()

    @property
    def dataURL(self) -> str:
        """The URL of nothing."""
        return "null://"

    def store(self, value: Any, encoding: str = serialize.DEFAULT) -> None:
        """Forget `value`; streaming consumers get its bytes."""
        if self._row in self._graph.streams:
            super().store(value, encoding)
        else:
            self._begin_writing()

    def load(self, encoding: str = serialize.DEFAULT) -> Any:
        """Return None."""
        self._check_readable()


class EndDROP(NullDROP):
    """An end marker: when it completes, what has not begun is skipped and the graph ends.

    Its own consumers have not begun either. Apps that are running at that moment finish their work
    and complete their outputs; nothing is run after them.
    """

    __slots__ = ()

    traits: ClassVar[int] = GATE
