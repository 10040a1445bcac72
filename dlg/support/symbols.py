"""Things found by their dotted names."""

from __future__ import annotations

import difflib
import importlib
import logging
from types import ModuleType
from typing import Any

from dlg.exceptions import UsageError
from dlg.support import clock

logger = logging.getLogger(__name__)

_WHATEVER = (Exception, SystemExit)
"""What a module of a user may raise while it is imported: a script may even end itself."""


class UnknownSymbolError(UsageError, ImportError):
    """No module, or nothing in a module, has the dotted name that was asked for."""


class UnknownModuleError(UnknownSymbolError):
    """There is no module of the name with which the dotted name begins."""


def get_symbol(name: str) -> Any:
    """Return what the dotted `name` stands for, for instance "pathlib.Path.home".

    Each part is an attribute of what is before it, or else a module in it, which is imported.
    Raises `UnknownSymbolError` if there is no such thing; what a module raises while it is
    imported is the cause of that.
    """
    first, *rest = name.split(".")
    if not all(part.isidentifier() for part in (first, *rest)):
        raise UnknownSymbolError(f"{name!r} is not a dotted name")
    thing: Any = _module(first, name)
    for part in rest:
        try:
            thing = getattr(thing, part)
        except AttributeError:
            thing = _inner_module(thing, part, name)
    return thing


def timed_import(module_name: str) -> ModuleType:
    """Return module `module_name`, imported, and log how long the import took."""
    start = clock.monotonic()
    module = importlib.import_module(module_name)
    seconds = clock.monotonic() - start
    logger.info(
        "imported %s in %.3f s",
        module_name,
        seconds,
        extra={"action": "import", "seconds": seconds},
    )
    return module


def _inner_module(package: object, part: str, name: str) -> ModuleType:
    """Return module `part` of a package, which has no attribute of that name."""
    path = f"{getattr(package, '__name__', type(package).__name__)}.{part}"
    if isinstance(package, ModuleType) and hasattr(package, "__path__"):
        try:
            return importlib.import_module(path)
        except ModuleNotFoundError as error:
            if error.name != path:
                raise _failed(path, name, error) from error
        except _WHATEVER as error:
            raise _failed(path, name, error) from error
    near = difflib.get_close_matches(part, dir(package), 1)
    cure = f"; did you mean {near[0]!r}?" if near else ""
    owner = path.rpartition(".")[0]
    raise UnknownSymbolError(f"{name}: {owner} has no {part!r}{cure}")


def _module(path: str, name: str) -> ModuleType:
    """Return module `path`, of which `name` begins."""
    try:
        return importlib.import_module(path)
    except _WHATEVER as error:
        if isinstance(error, ModuleNotFoundError) and error.name == path:
            raise UnknownModuleError(f"{name}: there is no module {path!r}") from None
        raise _failed(path, name, error) from error


def _failed(path: str, name: str, error: BaseException) -> UnknownSymbolError:
    return UnknownSymbolError(f"{name}: importing {path} failed: {_told(error)}")


def _told(error: BaseException) -> str:
    """Return what went wrong in a line; of a mistake in the writing, where it is."""
    if isinstance(error, SyntaxError):
        return f"{type(error).__name__}: {error.msg} ({error.filename}, line {error.lineno})"
    return repr(error)
