"""Alias: Python functions as apps."""

from __future__ import annotations

from dlg.apps.python_function import PyFuncApp, PyMemberApp

__all__ = [
    "PyFuncApp",
    "PyMemberApp",
]
