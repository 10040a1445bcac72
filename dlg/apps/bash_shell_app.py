"""Alias: shell commands as apps."""

from __future__ import annotations

from dlg.apps.bash import (
    BashShellApp,
    StreamingInputBashApp,
    StreamingInputOutputBashApp,
    StreamingOutputBashApp,
)

__all__ = [
    "BashShellApp",
    "StreamingInputBashApp",
    "StreamingInputOutputBashApp",
    "StreamingOutputBashApp",
]
