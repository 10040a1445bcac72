"""Alias: data in JSON files."""

from __future__ import annotations

from dlg.data.json_data import JsonDROP

__all__ = [
    "JsonDROP",
]
