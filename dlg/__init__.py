"""Data-activated execution of scientific graphs: what every part of the system shares."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from_dask: Callable[[Any], Any]
    """Returns the physical graph of a collection of Dask: see `dlg.runtime.dask_graphs`."""

_DOORS = {"from_dask": "dlg.runtime.dask_graphs"}
"""What is imported only when somebody asks for it, as most programs never do."""


def __getattr__(name: str) -> Any:
    """Return what is behind one of the doors of the package."""
    if name in _DOORS:
        return getattr(importlib.import_module(_DOORS[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
