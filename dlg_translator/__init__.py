"""From logical graphs, as drawn in an editor, to physical graphs an engine can run.

What is named here is imported when it is first used, so that importing the package costs nothing.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dlg_translator.mapping import map_graph
    from dlg_translator.model.template import PhysicalTemplate
    from dlg_translator.partition import PartitionedTemplate, partition_graph
    from dlg_translator.unroll import unroll_graph

__all__ = [
    "PartitionedTemplate", "PhysicalTemplate", "map_graph", "partition_graph", "unroll_graph",
]  # fmt: skip

_HOMES: Mapping[str, str] = {
    "PartitionedTemplate": "dlg_translator.partition",
    "PhysicalTemplate": "dlg_translator.model.template",
    "map_graph": "dlg_translator.mapping",
    "partition_graph": "dlg_translator.partition",
    "unroll_graph": "dlg_translator.unroll",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
