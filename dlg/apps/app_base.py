"""Alias: the base classes of apps."""

from __future__ import annotations

from dlg.drops.app_base import AppDROP, BarrierAppDROP, InputFiredAppDROP

__all__ = [
    "AppDROP",
    "BarrierAppDROP",
    "InputFiredAppDROP",
]
