"""Whether a Python function can be found and called, from a dropspec alone, before anything runs.

Only what is certain is told. What may come by ports without a name, out of the environment or by
source in the graph is given the benefit of the doubt: the run tells.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

from dlg.apps import function_arguments as arguments
from dlg.apps.function_arguments import EVENT, RESERVED, ArgumentError
from dlg.drops import ports
from dlg.drops.parameters import argument_value, values_of
from dlg.graph.class_checks import Mistake, Use
from dlg.support.symbols import UnknownModuleError, get_symbol

Function = Callable[..., Any]
UNKNOWN, MISFIT = "unknown-function", "function-arguments"
ELSEWHERE = "dlg run --path DIR looks in DIR too"


def check_functions(uses: Sequence[Use], declared: Collection[str]) -> Iterator[Mistake]:
    """Yield what keeps functions from being called; `declared` are parameters of the app itself.

    Each function is looked for once.
    """
    known: dict[str, Function | tuple[str, str]] = {}
    for place, use in enumerate(uses):
        given = values_of(use.spec)
        name = given.get("func_name")
        if given.get("func_code") or callable(given.get("func")) or "$" in str(name):
            continue
        if not name:
            text = "neither func_name nor func_code says what to call"
            yield Mistake(place=place, key="func_name", code=UNKNOWN, message=text)
            continue
        found = known.get(str(name)) or known.setdefault(str(name), look_for(str(name)))
        if isinstance(found, tuple):
            text, hint = found
            yield Mistake(place=place, key="func_name", code=UNKNOWN, message=text, hint=hint)
        elif text := misfit(found, str(name), use, given, declared):
            yield Mistake(place=place, key="func_name", code=MISFIT, message=text)


def look_for(name: str) -> Function | tuple[str, str]:
    """Return the function with import path `name`, or why there is none and what may help."""
    path = name.removesuffix(".__init__")
    if "." not in path:
        found = getattr(builtins, path, None)
        if found is None:
            text = f"func_name {name!r} is no builtin function"
            return text, "of any other function the module is said too, as in numpy.mean"
    else:
        try:
            found = get_symbol(path)
        except UnknownModuleError as error:
            return _not_found(name, error), ELSEWHERE
        except (ImportError, AttributeError) as error:
            return _not_found(name, error), ""
    if not callable(found):
        return f"func_name {name!r} is no function but {type(found).__name__}", ""
    return found  # type: ignore[no-any-return]


def _not_found(name: str, error: Exception) -> str:
    return f"func_name {name!r} cannot be found: {str(error).removeprefix(f'{name}: ')}"


def misfit(
    function: Function, name: str, use: Use, given: Mapping[str, Any], declared: Collection[str]
) -> str:
    """Return why `function` cannot be called with what `use` gives it; empty if it may be."""
    signature = arguments.signature_of(function)
    if signature is None or given.get("func_arg_mapping"):
        return ""
    parameters = signature.parameters
    known = arguments.names_of(parameters)
    objects = ports.arguments(use.spec)
    inputs = [port for port in use.inputs if objects.get(port, {}).get("type") != EVENT]
    named = {port for port in inputs if port}
    values, by_position = _values(objects, given, parameters, declared)
    flat = parameters.keys() & given.keys() - objects.keys() - set(declared)
    there = {*named, *use.others, *values, *flat, *_defaults(given, known)}
    # Inputs without a name fill what is left, in order.
    missing = [key for key in arguments.required(parameters) if key not in there]
    filled = missing[: inputs.count("") + by_position]
    try:
        arguments.refuse_unknown([*named, *values], parameters, f"func_name {name!r}")
        arguments.refuse_missing(parameters, {*there, *filled}, f"func_name {name!r}")
    except ArgumentError as error:
        return str(error)
    return ""


def _values(
    objects: Mapping[str, Mapping[str, Any]],
    given: Mapping[str, Any],
    parameters: Collection[str],
    declared: Collection[str],
) -> tuple[list[str], int]:
    """Return the arguments that have a value in the graph, and how many come by position only."""
    found: list[str] = []
    by_position = 0
    for name, argument in objects.items():
        if name in RESERVED or name in declared:
            continue
        if not arguments.is_argument(argument, wanted=name in parameters):
            continue
        value = given.get(name)
        value = argument_value(argument) if value in (None, "") else value
        empty_text = value == "" and str(argument.get("type")) == "String"
        if value is None or (value == "" and not (empty_text and name in parameters)):
            continue
        if value == "" and arguments.is_port(argument):
            continue
        if name not in parameters and argument.get("positional") in (True, "true", "True"):
            by_position += 1
        else:
            found.append(name)
    return found, by_position


def _defaults(given: Mapping[str, Any], known: Collection[str]) -> Collection[str]:
    """Return the arguments that have a default in the graph; all of them if that is unreadable."""
    try:
        defaults = arguments.literal(given.get("func_defaults") or {})
    except (ValueError, SyntaxError):
        return known
    if not isinstance(defaults, Mapping):
        return known
    inner = defaults.get("kwargs")
    return {*defaults, *(inner if isinstance(inner, Mapping) else ())}
