"""Front door: the base class of all drops, and every class of data, and of apps the basic ones.

The small files behind it are `dlg.drops` and `dlg.data`; inside this package use those.
"""

from __future__ import annotations

from dlg.apps.branch import BranchAppDrop
from dlg.data.container import ContainerDROP
from dlg.data.directory import DirectoryDROP
from dlg.data.file import FileDROP
from dlg.data.json_data import JsonDROP
from dlg.data.memory import InMemoryDROP, PythonObjectDROP
from dlg.data.null import EndDROP, NullDROP
from dlg.data.parameter_set import ParameterSetDROP
from dlg.data.shared_memory import SharedMemoryDROP
from dlg.drops.app_base import AppDROP, BarrierAppDROP, InputFiredAppDROP
from dlg.drops.base import AbstractDROP
from dlg.drops.components import PathBasedDrop
from dlg.drops.data_base import DataDROP
from dlg.drops.neighbours import ListAsDict
from dlg.support.tracking import object_tracking

track_current_drop = object_tracking("drop")
"""A decorator for methods of drops: while one runs, `tlocal.drop` is the drop it runs on."""

__all__ = [
    "AbstractDROP",
    "AppDROP",
    "BarrierAppDROP",
    "BranchAppDrop",
    "ContainerDROP",
    "DataDROP",
    "DirectoryDROP",
    "EndDROP",
    "FileDROP",
    "InMemoryDROP",
    "InputFiredAppDROP",
    "JsonDROP",
    "ListAsDict",
    "NullDROP",
    "ParameterSetDROP",
    "PathBasedDrop",
    "PythonObjectDROP",
    "SharedMemoryDROP",
    "track_current_drop",
]
