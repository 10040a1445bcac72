"""Divide physical graph templates into parts and islands."""

from __future__ import annotations

from dlg_translator.partition.partitioning import partition_graph
from dlg_translator.partition.template import PartitionedTemplate

__all__ = ["PartitionedTemplate", "partition_graph"]
