"""Functions packed with all they need of modules that the other side does not have.

Functions of installed packages travel by name, as with plain pickle. What stands in modules of the
user travels with its code, and so does what these refer to in each other. Such code only runs on
the same version of Python; another one says so instead of crashing.
"""

from __future__ import annotations

import pickle
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib.machinery import PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any

import cloudpickle

from dlg.exceptions import UsageError

OURS = frozenset({"dlg", "dlg_engine", "dlg_translator"})


class PythonMismatchError(UsageError):
    """Code came from another version of Python."""


class Packed:
    """A value whose code goes along; unpickling it gives the value itself."""

    def __init__(self, payload: bytes) -> None:
        self._payload = payload

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return unpack, (tuple(sys.version_info[:2]), self._payload)


def unpack(version: tuple[int, int], payload: bytes) -> Any:
    """Return what was packed; raise PythonMismatchError where it cannot run here."""
    here = tuple(sys.version_info[:2])
    if version != here:
        theirs, ours = ".".join(map(str, version)), ".".join(map(str, here))
        raise PythonMismatchError(
            f"this code was sent by Python {theirs} and cannot run on {ours}: "
            "use the same version, or let nodes import it from a directory of their own"
        )
    return pickle.loads(payload)  # noqa: S301  code of a graph, which is code by design


def pack(value: Any, directories: Iterable[Path] = ()) -> bytes:
    """Return a pickle of `value`, with the code of modules that lie directly in `directories`.

    What is defined in the main program goes along as well. Raises what pickling raises.
    """
    with packer(directories) as pack_one:
        return pack_one(value)


@contextmanager
def packer(directories: Iterable[Path] = ()) -> Iterator[Callable[[Any], bytes]]:
    """Give what packs one value after the other, as `pack` does.

    The modules must have been imported before.
    """
    resolved = [directory.resolve() for directory in directories]
    modules = list(_modules_of(resolved)) if resolved else []
    for module in modules:
        cloudpickle.register_pickle_by_value(module)
    try:
        yield _pack
    finally:
        for module in modules:
            cloudpickle.unregister_pickle_by_value(module)


def _pack(value: Any) -> bytes:
    return pickle.dumps(Packed(cloudpickle.dumps(value, protocol=5)), protocol=5)


def is_of(module: str, directories: Iterable[Path]) -> bool:
    """Return whether the package or module at the beginning of `module` lies in `directories`.

    One that is found elsewhere too is not taken to be the user's own.
    """
    top = module.partition(".")[0]
    if top in OURS or top in sys.builtin_module_names:
        return False
    own = {directory.resolve() for directory in directories}
    elsewhere = [path for path in sys.path if Path(path).resolve() not in own]
    if PathFinder.find_spec(top, elsewhere) is not None:
        return False
    return PathFinder.find_spec(top, [str(directory) for directory in own]) is not None


def _modules_of(directories: Sequence[Path]) -> Iterator[ModuleType]:
    """Yield the modules that have been imported from `directories`."""
    own: dict[str, bool] = {}
    for name, module in list(sys.modules.items()):
        top = name.partition(".")[0]
        if top not in own:
            own[top] = _lies_in(sys.modules.get(top), directories) and is_of(top, directories)
        if own[top] and isinstance(module, ModuleType):
            yield module


def _lies_in(module: object, directories: Sequence[Path]) -> bool:
    """Return whether a module, or the package that it is, lies directly in one of them."""
    file = getattr(module, "__file__", None)
    if not isinstance(file, str):
        return False
    return not set(directories).isdisjoint(list(Path(file).resolve().parents)[:2])
