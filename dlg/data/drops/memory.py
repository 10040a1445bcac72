"""Alias: data in memory, shared or not."""

from __future__ import annotations

from dlg.data.memory import InMemoryDROP, PythonObjectDROP
from dlg.data.shared_memory import SharedMemoryDROP

__all__ = [
    "InMemoryDROP",
    "PythonObjectDROP",
    "SharedMemoryDROP",
]
