"""Alias: parameter sets."""

from __future__ import annotations

from dlg.data.parameter_set import ParameterSetDROP

__all__ = [
    "ParameterSetDROP",
]
