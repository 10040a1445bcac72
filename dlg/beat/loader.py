"""Loading and calling the code of users: algorithms, libraries, views, plotters.

This runs their code in this process; the executors see to it that this is a process of its own.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib.abc import Loader
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_file_location
from types import CodeType, ModuleType
from typing import Any

from dlg.beat import aliases

__all__ = ["load_module", "run"]


def load_module(name: str, path: str, uses: Mapping[str, Mapping[str, Any]]) -> ModuleType:
    """Return the module made of the file at `path`, with the libraries it uses as globals.

    `uses` is what `uses_dict` of an asset returns: for each import name the `path` of the library
    and what that `uses` in turn. A library that is used twice is loaded once. Raises what the
    code raises, and `OSError` if it cannot be read.
    """
    aliases.install()
    return _load(name, path, uses, {})


def run(
    obj: object, method: str, exc: type[Exception] | None = None, *args: Any, **kwargs: Any
) -> Any:
    """Call a method of an object of a user, or make an object of a class with `__new__`.

    What fails is raised as an `exc` with the same text and the traceback of the user's code;
    without `exc` as it is.
    """
    try:
        if method == "__new__" and callable(obj):
            return obj(*args, **kwargs)
        return getattr(obj, method)(*args, **kwargs)
    except Exception as error:
        if exc is None:
            raise
        raise exc(error).with_traceback(error.__traceback__) from error


class _FreshSource(SourceFileLoader):
    """Compiles a file each time: byte code that is kept goes by a time of whole seconds."""

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        code: CodeType = self.source_to_code(self.get_data(path), path)
        return code


def _load(
    name: str, path: str, uses: Mapping[str, Mapping[str, Any]], loaded: dict[str, ModuleType]
) -> ModuleType:
    spec = spec_from_file_location(name, path, loader=_FreshSource(name, path))
    if spec is None or not isinstance(spec.loader, Loader):
        raise ImportError(f"no module can be made of {path}", name=name, path=path)
    module = module_from_spec(spec)
    for alias, used in uses.items():
        place = str(used["path"])
        if place not in loaded:
            loaded[place] = _load(f"{name}.{alias}", place, used["uses"], loaded)
        setattr(module, alias, loaded[place])
    # Where pickle, dataclasses and multiprocessing look for it.
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        sys.modules.pop(name, None)
        raise
    return module
