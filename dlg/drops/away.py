"""Calls of functions in another process, which runners with processes lend to apps that ask.

An app that says `calls_away` runs in the process of its graph and hands single calls out: it sees
what became of each, also when the process was killed or took too long, and may try again. What
many calls share, such as a big object, is sent to a process once, as its luggage.

This file is imported by worker processes before they get anything to do, so it imports little.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, TypeVar

from dlg.drops.surroundings import ALONE, Surroundings
from dlg.support.parcels import Parcel, wrap

MAIN = b"__main__"
"""Is in the pickle of whatever is defined in the main program."""

V = TypeVar("V")

KEPT = 16
"""How many different pieces of luggage a process keeps; those that came first go first."""

_kept: dict[str, Luggage] = {}


class Luggage:
    """A pickled value that many errands of a session take along; `key` is its own for ever."""

    __slots__ = ("_value", "data", "key", "surroundings")

    def __init__(self, key: str, data: bytes | None) -> None:
        self.key, self.data = key, data
        self.surroundings = ALONE
        """Whose log the records of errands belong to."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel with the data, which is then kept there, or as a label."""
        return _arrived, (self.key, self.data, None if self.data is None else self.surroundings)

    def label(self) -> Luggage:
        """Return what stands for this in a process that has it."""
        return Luggage(self.key, None)

    def belong_to(self, around: Surroundings) -> None:
        """Let log records of errands go to the session of `around`."""
        directory = None if around.directory is None else Path(around.directory)
        self.surroundings = Surroundings(session_id=around.session_id, directory=directory)

    def value(self) -> Any:
        """Return the value, which is unpickled once in a process."""
        if not hasattr(self, "_value"):
            if self.data is None:
                raise LookupError(f"luggage {self.key} has not come here")
            self._value = pickle.loads(self.data)  # noqa: S301  code of the graph
        return self._value


def remember(kept: dict[str, V], key: str, value: V) -> None:
    """Keep `value`, and forget what is too much; both ends do, so that they know the same."""
    kept[key] = value
    while len(kept) > KEPT:
        del kept[next(iter(kept))]


def _arrived(key: str, data: bytes | None, around: Surroundings | None) -> Luggage:
    """Return the luggage of that key, as it is kept in this process."""
    if around is not None:
        luggage = Luggage(key, data)
        luggage.surroundings = around
        remember(_kept, key, luggage)
    return _kept.get(key) or Luggage(key, None)


def kept(key: str, data: bytes) -> Any:
    """Return the value of luggage that was used in this process before, or came now."""
    return (_kept.get(key) or _arrived(key, data, ALONE)).value()


class Errand:
    """A call to be made in another process: `function(value of the luggage, *args)`."""

    __slots__ = ("args", "function", "luggage")

    def __init__(
        self, function: Callable[..., Any], luggage: Luggage, args: tuple[Any, ...] | Parcel
    ) -> None:
        """The function must be one that the other process can import."""
        self.function, self.luggage, self.args = function, luggage, args

    @property
    def surroundings(self) -> Surroundings:
        """Whose log records of the call belong to."""
        return self.luggage.surroundings

    def seal(self, prefix: str) -> None:
        """Wrap the arguments; blocks of shared memory are named `prefix` and go with this object.

        They have a parcel of their own, so that one which cannot be opened fails the call and not
        the process.
        """
        if isinstance(self.args, Parcel):
            return
        parcel = wrap(self.args, prefix).own()
        if MAIN in parcel.data:  # the other process has another main program
            from dlg.support import by_value  # noqa: PLC0415  slow to import and rarely needed

            parcel = Parcel(by_value.pack(self.args), "", ())
        self.args = parcel

    def message(self, *, known: bool) -> Errand:
        """Return the errand as it travels, without the luggage where that is `known` already."""
        return Errand(self.function, self.luggage.label(), self.args) if known else self

    def open(self) -> Errand:
        """Return the errand: like this it is in a message that needs no unwrapping."""
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return Errand, (self.function, self.luggage, self.args)

    def perform(self, prefix: str) -> Parcel:
        """Make the call and wrap what it returns; blocks of shared memory are named `prefix`."""
        try:
            args = self.args.open() if isinstance(self.args, Parcel) else self.args
            answer = Answer(self.function(self.luggage.value(), *args))
        except BaseException as error:  # noqa: BLE001  SystemExit is no reason to end, either
            answer = Answer(None, f"{type(error).__name__}: {error}")
        try:
            return wrap(answer, prefix)
        except Exception as error:  # noqa: BLE001  a value may refuse to be pickled in any way
            text = f"its result cannot be sent to another process: {error}"
            return wrap(Answer(None, text), prefix)


class Answer:
    """What came of an errand: a value, or else the trouble there was with it."""

    __slots__ = ("trouble", "value")

    def __reduce__(self) -> tuple[Any, ...]:
        return Answer, (self.value, self.trouble)

    def __init__(self, value: Any, trouble: str = "") -> None:
        self.value, self.trouble = value, trouble


class Caller(Protocol):
    """What a runner lends to an app that `calls_away`."""

    def __call__(self, errand: Errand, timeout_s: float | None) -> Answer:
        """Let the process make the call.

        Raises `WorkerDiedError` if the process dies over it and `TimeoutError` after `timeout_s`
        seconds, when the process has been killed; what pickling raises if the errand cannot be
        sent.
        """
