"""The names by which users' code knows this package: those of the packages it was written for.

Views say `from beat.backend.python.database import View`. `install` lets `beat.core.X` and
`beat.backend.python.X` be `dlg.beat.X`, in a process in which users' code runs.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

_PACKAGES = ("beat", "beat.core", "beat.backend", "beat.backend.python")
_ROOTS = ("beat.backend.python.", "beat.core.")
_OURS = "dlg.beat."


def install() -> None:
    """Make the names known, once, unless the packages they belong to are there."""
    if any(isinstance(finder, _Finder) for finder in sys.meta_path):
        return
    if not any(map(_is_there, ("beat.core", "beat.backend.python"))):
        sys.meta_path.insert(0, _Finder())  # any folder named beat would be a package too


def _is_there(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:  # what it would be in is not there
        return False


class _Finder(MetaPathFinder):
    """Finds our modules by other names."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return where a module is that is ours; None for all others."""
        if fullname in _PACKAGES:
            return ModuleSpec(fullname, _EmptyPackage(), is_package=True)
        for root in _ROOTS:
            ours = _OURS + fullname.removeprefix(root)
            if fullname.startswith(root) and importlib.util.find_spec(ours) is not None:
                return ModuleSpec(fullname, _Alias(ours))
        return None


class _EmptyPackage(Loader):
    """A package with nothing in it but what is imported from it."""

    def exec_module(self, module: ModuleType) -> None:
        """Leave it empty."""


class _Alias(Loader):
    """Gives a module that has another name, which it keeps."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._spec: ModuleSpec | None = None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Return our module."""
        module = importlib.import_module(self._name)
        self._spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Leave it as it is: the import system has only put another specification there."""
        module.__spec__ = self._spec
