"""Alias: data in files."""

from __future__ import annotations

from dlg.data.file import FileDROP

__all__ = [
    "FileDROP",
]
