"""Alias: the base class of data drops, and those that hold nothing."""

from __future__ import annotations

from dlg.data.null import EndDROP, NullDROP
from dlg.drops.components import PathBasedDrop
from dlg.drops.data_base import DataDROP

__all__ = [
    "DataDROP",
    "EndDROP",
    "NullDROP",
    "PathBasedDrop",
]
