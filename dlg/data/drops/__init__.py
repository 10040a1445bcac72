"""Aliases: data drops by the modules of release 3 and later."""

from __future__ import annotations

from dlg.data.container import ContainerDROP
from dlg.data.directory import DirectoryDROP
from dlg.data.file import FileDROP
from dlg.data.json_data import JsonDROP
from dlg.data.memory import InMemoryDROP
from dlg.data.null import NullDROP
from dlg.data.parameter_set import ParameterSetDROP
from dlg.data.shared_memory import SharedMemoryDROP
from dlg.drops.data_base import DataDROP

__all__ = [
    "ContainerDROP",
    "DataDROP",
    "DirectoryDROP",
    "FileDROP",
    "InMemoryDROP",
    "JsonDROP",
    "NullDROP",
    "ParameterSetDROP",
    "SharedMemoryDROP",
]
