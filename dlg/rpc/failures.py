"""Exceptions that travel: taken apart on one side, raised as their class on the other.

Pure. Nothing is unpickled and no constructor is called with what came from outside: the class is
looked up among those of Python and of this project, and the facts are put back. An exception of
any other class arrives as a `RemoteError` that names the class.
"""

from __future__ import annotations

import builtins
import sys
import traceback

from dlg.exceptions import RunError
from dlg.rpc.messages import Failure, can_be_packed

_LONGEST_TEXT = 20_000
_OURS = ("dlg.", "dlg_engine.", "dlg_translator.")


class RemoteError(RunError):
    """A call failed on the other side, with an exception of a class that is not known here."""

    def __init__(self, message: str, class_name: str = "") -> None:
        super().__init__(message)
        self.class_name = class_name


def take_apart(error: BaseException) -> Failure:
    """Return what of an exception can travel."""
    kind = type(error)
    attributes = {
        name: value
        for name, value in vars(error).items()
        if not name.startswith("_") and can_be_packed(value)
    }
    return Failure(
        kind.__module__,
        kind.__qualname__,
        str(error)[:_LONGEST_TEXT],
        list(error.args) if can_be_packed(list(error.args)) else [str(error)[:_LONGEST_TEXT]],
        attributes,
        "".join(traceback.format_exception(error))[-_LONGEST_TEXT:],
    )


def put_together(failure: Failure, where: str) -> BaseException:
    """Return the exception, with the remote traceback as a note."""
    error = _made(failure)
    error.add_note(f"on {where}:\n{failure.traceback.rstrip()}")
    return error


def _made(failure: Failure) -> BaseException:
    kind = _class_of(failure)
    if kind is not None:
        try:
            error = kind.__new__(kind)
        except TypeError:  # as of a group of exceptions, which cannot be without its members
            pass
        else:
            error.args = tuple(failure.args)
            vars(error).update(failure.attributes)
            return error
    name = f"{failure.module}.{failure.name}"
    return RemoteError(f"{failure.name}: {failure.message}", name)


def _class_of(failure: Failure) -> type[BaseException] | None:
    """Return the class if it is one of Python's or ours; nothing is imported for it."""
    if failure.module == "builtins":
        found = getattr(builtins, failure.name, None)
        known = isinstance(found, type) and issubclass(found, Exception)
    else:
        module = sys.modules.get(failure.module) if _is_ours(failure.module) else None
        found = getattr(module, failure.name, None)
        known = isinstance(found, type) and issubclass(found, Exception)
    return found if known else None


def _is_ours(module: str) -> bool:
    return (module + ".").startswith(_OURS)
