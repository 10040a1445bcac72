"""Python calls that become a graph: `delayed` and `compute`."""

from __future__ import annotations

from dlg.runtime.expressions import Delayed, compute, delayed

__all__ = ["Delayed", "compute", "delayed"]
