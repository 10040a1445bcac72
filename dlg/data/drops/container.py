"""Alias: drops that hold drops."""

from __future__ import annotations

from dlg.data.container import ContainerDROP

__all__ = [
    "ContainerDROP",
]
