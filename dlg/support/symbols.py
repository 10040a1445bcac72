"""Things found by their dotted names."""

from __future__ import annotations

import importlib
import logging
from types import ModuleType
from typing import Any

from dlg.exceptions import UsageError
from dlg.support import clock

logger = logging.getLogger(__name__)


class UnknownSymbolError(UsageError, ImportError):
    """No module, or nothing in a module, has the dotted name that was asked for."""


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
        except AttributeError as error:
            if not isinstance(thing, ModuleType) or not hasattr(thing, "__path__"):
                raise UnknownSymbolError(f"{name}: {error}") from None
            thing = _module(f"{thing.__name__}.{part}", name)
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


def _module(path: str, name: str) -> ModuleType:
    """Return module `path`, of which `name` begins."""
    try:
        return importlib.import_module(path)
    except Exception as error:  # whatever a module of a user raises
        if isinstance(error, ModuleNotFoundError) and error.name == path:
            raise UnknownSymbolError(f"{name}: there is no module {path!r}") from None
        raise UnknownSymbolError(f"{name}: importing {path} failed: {error!r}") from error
