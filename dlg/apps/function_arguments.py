"""How the arguments of a Python function are put together. Pure.

From weakest to strongest: the defaults in the signature, `func_defaults`, the values in the graph,
named input ports, and inputs without a port name, which fill the parameters that are left by
position. Arguments the signature does not name go to `*args` and `**kwargs` where it has them.
"""

from __future__ import annotations

import ast
import difflib
import functools
import inspect
import json
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dlg.drops.parameters import to_bool, to_float, to_int
from dlg.exceptions import UsageError

P = inspect.Parameter
_BY_POSITION = (P.POSITIONAL_ONLY, P.POSITIONAL_OR_KEYWORD)


RESERVED = frozenset([
    "func", "func_name", "func_code", "func_defaults", "func_arg_mapping", "input_parser",
    "output_parser", "pickle", "dropclass", "appclass", "execution_time", "num_cpus",
    "group_start", "n_tries", "input_error_threshold", "base_name", "log_level", "self",
    "block_skip", "persist", "streaming", "data_volume", "group_end", "libpath", "procs",
    "x_of_branch",
])  # fmt: skip
"""Names of parameters of the app itself, which the function never sees."""
EVENT = "Event"
"""The type of a port that only says that something has happened."""


class ArgumentError(UsageError):
    """A function cannot be called with what the graph gives it."""


@dataclass(slots=True)
class Given:
    """What the graph gives a function."""

    defaults: Mapping[str, Any] = field(default_factory=dict)
    values: Mapping[str, Any] = field(default_factory=dict)
    """Values of arguments in the graph."""
    ports: Mapping[str, Any] = field(default_factory=dict)
    """What came in through named ports."""
    unnamed: Sequence[Any] = ()
    """What came in through ports without a name, in the order of the graph."""
    positional: Sequence[str] = ()
    """Names of values to be passed by position, in order."""


def bind(function: Callable[..., Any], given: Given, who: str) -> inspect.BoundArguments:
    """Return the arguments to call `function` with; raise `ArgumentError` where they do not fit.

    `who` names the function and the drop in messages.
    """
    signature = signature_of(function)
    if signature is None:  # a builtin that does not tell: all that can be done is by position
        return _without_signature(given)
    parameters = signature.parameters
    named = {**given.defaults, **given.values, **given.ports}
    positional = [
        named.pop(name) for name in given.positional if _goes_first(name, named, parameters)
    ]
    free = [
        name for name, parameter in parameters.items()
        if parameter.kind in _BY_POSITION and name not in given.values and name not in given.ports
    ]  # fmt: skip
    unnamed = list(given.unnamed)
    for name in free[len(positional) :]:
        if not unnamed:
            break
        named[name] = unnamed.pop(0)
    return _call(signature, named, [*positional, *unnamed], who)


def _goes_first(name: str, named: Mapping[str, Any], parameters: Mapping[str, P]) -> bool:
    """Return whether a value marked positional has no parameter of its name to go to."""
    return name in named and name not in parameters


def _call(
    signature: inspect.Signature, named: dict[str, Any], extra: list[Any], who: str
) -> inspect.BoundArguments:
    parameters = signature.parameters
    takes_more = any(p.kind is P.VAR_POSITIONAL for p in parameters.values())
    known = names_of(parameters)
    refuse_unknown(named, parameters, who)
    args: list[Any] = []
    kwargs = dict(named)
    for name, parameter in parameters.items():
        if parameter.kind not in _BY_POSITION:
            continue
        if name in kwargs and (parameter.kind is P.POSITIONAL_ONLY or (takes_more and extra)):
            args.append(kwargs.pop(name))
        elif name not in kwargs and extra:
            args.append(extra.pop(0))
        else:
            break
    refuse_missing(parameters, {*list(parameters)[: len(args)], *kwargs}, who)
    if extra and not takes_more:
        count = len(known)
        raise ArgumentError(f"{who}: takes {count} arguments, and {len(extra)} more were given")
    try:
        return signature.bind(*args, *extra, **kwargs)
    except TypeError as error:
        raise ArgumentError(f"{who}: {error}{_cure(known)}") from error


def names_of(parameters: Mapping[str, P]) -> set[str]:
    """Return the names by which arguments can be given."""
    variadic = (P.VAR_KEYWORD, P.VAR_POSITIONAL)
    return {name for name, p in parameters.items() if p.kind not in variadic}


def required(parameters: Mapping[str, P]) -> list[str]:
    """Return the arguments that have no default, in order."""
    known = names_of(parameters)
    return [n for n, p in parameters.items() if n in known and p.default is P.empty]


def refuse_unknown(named: Iterable[str], parameters: Mapping[str, P], who: str) -> None:
    """Raise `ArgumentError` for the first of the names that is no argument."""
    if any(p.kind is P.VAR_KEYWORD for p in parameters.values()):
        return
    known = names_of(parameters)
    for name in [n for n in named if n not in known]:
        near = difflib.get_close_matches(name, known, n=1)
        takes = f"it takes {', '.join(sorted(known))}" if known else "it takes none"
        hint = f"did you mean {near[0]!r}?" if near else takes
        raise ArgumentError(f"{who}: has no argument {name!r}; {hint}")


def refuse_missing(parameters: Mapping[str, P], there: Container[str], who: str) -> None:
    """Raise `ArgumentError` for the first argument without a default that is not `there`."""
    for name in required(parameters):
        if name not in there:
            text = f"the argument {name!r} is missing{_cure(names_of(parameters))}"
            raise ArgumentError(f"{who}: {text}")


def _cure(known: set[str]) -> str:
    if not known:
        return ""
    names = ", ".join(sorted(known))
    return f"; give a value or connect an input port of that name (it takes {names})"


def _without_signature(given: Given) -> inspect.BoundArguments:
    everything = [*given.values.values(), *given.ports.values(), *given.unnamed]
    any_signature = inspect.signature(lambda *args: args)
    return any_signature.bind(*everything)


def signature_of(function: Callable[..., Any]) -> inspect.Signature | None:
    """Return the signature of `function`, or None for a builtin that has none."""
    try:
        return _signature(function)
    except (ValueError, TypeError):  # it tells none, or cannot be remembered
        return _unhashed(function)


@functools.lru_cache(maxsize=64)  # the same function is called by many drops of a graph
def _signature(function: Callable[..., Any]) -> inspect.Signature:
    return inspect.signature(function)


def _unhashed(function: Callable[..., Any]) -> inspect.Signature | None:
    try:
        return inspect.signature(function)
    except (ValueError, TypeError):
        return None


def is_argument(argument: Mapping[str, Any], *, wanted: bool) -> bool:
    """Return whether a function is given this; older graphs mix its arguments with the app's."""
    if argument.get("usage") == "OutputPort" or argument.get("type") == EVENT:
        return False
    kind = argument.get("parameterType", "ApplicationArgument")
    return wanted or kind in {"ApplicationArgument", "Application"}


def is_port(argument: Mapping[str, Any]) -> bool:
    """Return whether the value of an argument comes or goes by a port."""
    return argument.get("usage") in {"InputPort", "InputOutput", "OutputPort"}


def typed(value: Any, kind: str, name: str, who: str) -> Any:
    """Return the value of an argument as the type that the graph declares for it.

    Raises `ArgumentError`, naming the argument, for a text that is no such value.
    """
    reader = _READERS.get(kind.partition(".")[0].lower())
    if reader is None or not isinstance(value, str | int | float | bool):
        return value
    try:
        return reader(value)
    except (ValueError, TypeError, SyntaxError) as error:
        text = f"the argument {name!r} must be of type {kind}, not {value!r}"
        raise ArgumentError(f"{who}: {text}") from error


def _integer(value: Any) -> Any:
    """Return an integer; a number that is none stays as it is, as it says itself what it is."""
    if isinstance(value, float) and not value.is_integer():
        return value
    return to_int(value)


def literal(value: Any) -> Any:
    """Return what a text written as JSON or as a Python literal stands for."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return ast.literal_eval(value)


def _object(value: Any) -> Any:
    """Return a literal where the text is one; ports of type Object hold all sorts of things."""
    try:
        return literal(value)
    except (ValueError, SyntaxError):
        return value


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "integer": _integer,
    "int": _integer,
    "float": to_float,
    "boolean": to_bool,
    "bool": to_bool,
    "json": literal,
    "complex": literal,
    "list": literal,
    "dict": literal,
    "python": _object,
    "object": _object,
}
