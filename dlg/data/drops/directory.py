"""Alias: data in directories."""

from __future__ import annotations

from dlg.data.directory import DirectoryDROP

__all__ = [
    "DirectoryDROP",
]
