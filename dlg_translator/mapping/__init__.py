"""Put the parts of a divided graph on hosts."""

from __future__ import annotations

from dlg_translator.mapping.mapping import map_graph

__all__ = ["map_graph"]
