"""From a logical graph to its instances: passes over a plan, the linking rules, index arrays."""

from __future__ import annotations

from dlg_translator.unroll.unroll import unroll_graph, unroll_logical

__all__ = ["unroll_graph", "unroll_logical"]
