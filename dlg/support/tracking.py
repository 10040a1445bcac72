"""Which object of a kind is being executed in this thread."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")
Self = TypeVar("Self")
Method = Callable[Concatenate[Self, P], R]


class Tracker:
    """A decorator of methods; while one runs, `tlocal.<name>` is the object it was called on."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.tlocal = threading.local()

    def __call__(self, method: Method[Self, P, R]) -> Method[Self, P, R]:
        """Return `method`, which from now on says on which object it runs."""

        @functools.wraps(method)
        def tracked(obj: Self, /, *args: P.args, **kwargs: P.kwargs) -> R:
            outer: Any = getattr(self.tlocal, self.name, None)
            setattr(self.tlocal, self.name, obj)
            try:
                return method(obj, *args, **kwargs)
            finally:
                setattr(self.tlocal, self.name, outer)

        return tracked


def object_tracking(name: str) -> Tracker:
    """Return a decorator for methods that keeps the object they run on in `tlocal.<name>`.

    Outside of all such methods of a thread that is None, or not there yet.
    """
    return Tracker(name)
