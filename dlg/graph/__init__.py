"""Graphs as plain records: dropspecs, links, the names of classes, checks, reading and writing."""

from __future__ import annotations

from dlg.graph.physical import PhysicalGraph
from dlg.graph.reading import read_physical_graph

__all__ = ["PhysicalGraph", "read_physical_graph"]
