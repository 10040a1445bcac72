"""Python functions as apps: by import path, by source, or given as they are."""

from __future__ import annotations

import ast
import base64
import builtins
import functools
import types
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from dlg.apps import function_arguments as arguments
from dlg.apps.function_arguments import EVENT, RESERVED, ArgumentError, Given
from dlg.apps.function_checks import check_functions
from dlg.ddap_protocol import DROPStates
from dlg.drops import ports
from dlg.drops.app_base import BarrierAppDROP
from dlg.drops.parameters import argument_value, dlg_any_param, dlg_string_param, values_of
from dlg.drops.ports import Port
from dlg.graph.class_checks import Mistake, Use
from dlg.reproducibility.summaries import function_summary
from dlg.support import serialize
from dlg.support.symbols import get_symbol

WHERE = frozenset({"path", "dataurl"})


class PyFuncApp(BarrierAppDROP):
    """Calls a Python function with its inputs and stores what it returns in its outputs.

    The function is `func` itself, the source in `func_code` (a `def`, a lambda, or base64 of a
    dill), or the import path in `func_name` (`numpy.mean`; a bare name is a builtin). Arguments
    come from the graph and from named input ports, each decoded as its port says; an input that
    was skipped leaves its argument at the default. An output port whose encoding is `path` hands
    the function the path to write to. Any other output gets the result, encoded as its port says;
    a function that returns a tuple of as many items as there are such outputs gives each one item.
    """

    __slots__ = ()

    transient: ClassVar[bool] = True

    func = dlg_any_param("the function itself")
    func_name = dlg_string_param("import path of the function", "")
    func_code = dlg_any_param("source of the function", "")
    func_defaults = dlg_any_param("defaults of arguments, by name", "")
    func_arg_mapping = dlg_any_param("argument names by input uid (old graphs)", "")
    input_parser = dlg_string_param("encoding of inputs whose port names none", "")
    output_parser = dlg_string_param("encoding of outputs whose port names none", "")
    pickle = dlg_any_param("whether inputs and outputs are pickles (old graphs)")

    @classmethod
    def alike(cls, spec: Mapping[str, Any]) -> Hashable:
        """Return the same for specs that call one function with arguments of the same names."""
        name = spec.get("func_name")
        if type(name) is not str:  # not written flat, or an object that may not be hashed
            name = str(values_of(spec).get("func_name"))
        return name, str(spec.get("lg_key")), *spec

    @classmethod
    def check_uses(cls, uses: Sequence[Use]) -> Iterable[Mistake]:
        """Return which functions cannot be found or called.

        A class that finds its function or its arguments in a way of its own is not judged.
        """
        own = (cls.run, cls.function, cls.collect, cls._inputs)
        plain = (PyFuncApp.run, PyFuncApp.function, PyFuncApp.collect, PyFuncApp._inputs)
        return check_functions(uses, cls.declared_parameters()) if own == plain else ()

    def run(self) -> None:
        """Call the function and store its result."""
        function = self.function()
        who = f"drop {self.uid}: {getattr(function, '__name__', 'function')}"
        call = arguments.bind(function, self.collect(function, who), who)
        self.store_result(function(*call.args, **call.kwargs))

    def generate_recompute_data(self) -> Mapping[str, Any]:
        """Return the arguments that the graph gives to the function."""
        signature = arguments.signature_of(self.function())
        accepted = set(signature.parameters) if signature else set()
        return function_summary(self._values(accepted, f"drop {self.uid}")[0])

    def function(self) -> Callable[..., Any]:
        """Return the function to call; raise `ArgumentError` if there is none."""
        if callable(self.func):
            return self.func  # type: ignore[no-any-return]
        if self.func_code:
            return from_code(self.func_code, self.func_name or "", self.uid)
        if self.func_name:
            return from_path(self.func_name, self.uid)
        raise ArgumentError(f"drop {self.uid}: neither func_name nor func_code says what to call")

    # -- arguments ------------------------------------------------------------------------

    def collect(self, function: Callable[..., Any], who: str) -> Given:
        """Return what the graph gives the function."""
        signature = arguments.signature_of(function)
        accepted = set(signature.parameters) if signature else set()
        named, unnamed, without_data = self._inputs(accepted)
        values, positional = self._values(accepted, who)
        for port in ports.outputs(self):
            if port.encoding in WHERE and port.name in accepted:
                named[port.name] = _where(port)
        for name in without_data:
            values.pop(name, None)
        return Given(
            defaults={k: v for k, v in self._defaults().items() if k in accepted or not accepted},
            values={k: v for k, v in values.items() if k not in named},
            ports=named,
            unnamed=unnamed,
            positional=positional,
        )

    def _inputs(self, accepted: set[str]) -> tuple[dict[str, Any], list[Any], set[str]]:
        mapping = self._mapping()
        named: dict[str, Any] = {}
        unnamed: list[Any] = []
        without_data: set[str] = set()
        known = ports.arguments(self.spec)
        for port in ports.inputs(self):
            if known.get(port.name, {}).get("type") == EVENT:
                continue
            name = mapping.get(port.drop.uid) or mapping.get(port.drop.oid) or port.name
            if port.drop.status is not DROPStates.COMPLETED:
                without_data.add(name)
            elif not name or (name not in accepted and self._only_by_position(accepted)):
                unnamed.append(self._load(port))
            else:
                named[name] = self._load(port)
        return named, unnamed, without_data

    def _only_by_position(self, accepted: set[str]) -> bool:
        """Return whether a port name that is no argument can only have meant the next one."""
        return not accepted

    def _load(self, port: Port) -> Any:
        return port.drop.load(self._encoding(port, self.input_parser))

    def _encoding(self, port: Port, parser: str) -> str:
        if parser:
            return parser
        if self.pickle is not None and str(self.pickle).lower() in {"false", "0"}:
            return "eval"
        return port.encoding or serialize.DEFAULT

    def _values(self, accepted: set[str], who: str) -> tuple[dict[str, Any], list[str]]:
        """Return the values of arguments in the graph, and which are to be passed by position."""
        values: dict[str, Any] = {}
        positional: list[str] = []
        known = ports.arguments(self.spec)
        for name, argument in known.items():
            if name in RESERVED or name in self._declared:
                continue
            if not arguments.is_argument(argument, wanted=name in accepted):
                continue
            value = self.parameters.get(name, argument_value(argument))
            if value in (None, ""):
                value = argument_value(argument)
            if value in (None, "") and (name not in accepted or arguments.is_port(argument)):
                continue
            if value is None or (value == "" and str(argument.get("type")) != "String"):
                continue
            values[name] = arguments.typed(value, str(argument.get("type") or ""), name, who)
            if argument.get("positional") in (True, "true", "True"):
                positional.append(name)
        flat = accepted - known.keys() - self._declared.keys()
        values |= {name: v for name, v in (self._given or {}).items() if name in flat}
        return values, positional

    def _defaults(self) -> dict[str, Any]:
        """Return `func_defaults`: values by name, or `{"kwargs": {name: base64 of dill}}`."""
        given = arguments.literal(self.func_defaults) if self.func_defaults else {}
        if not isinstance(given, Mapping):
            raise ArgumentError(f"drop {self.uid}: func_defaults must be a dictionary")
        if isinstance(given.get("kwargs"), Mapping) and set(given) <= {"kwargs", "args"}:
            return {name: _undill(text) for name, text in given["kwargs"].items()}
        return dict(given)

    def _mapping(self) -> dict[str, str]:
        """Return `func_arg_mapping` turned round: argument names by uid."""
        given = arguments.literal(self.func_arg_mapping) if self.func_arg_mapping else {}
        uids = {drop.uid for drop in self.inputs} if given else set()
        return {uid: name for name, uid in given.items() if uid in uids}

    # -- results --------------------------------------------------------------------------

    def store_result(self, result: Any) -> None:
        """Store what the function returned in the outputs that take it."""
        taking = [port for port in ports.outputs(self) if port.encoding not in WHERE]
        apart = isinstance(result, tuple) and len(result) == len(taking) > 1
        for place, port in enumerate(taking):
            if port.drop.status > DROPStates.WRITING:
                continue  # skipped by the function itself, or complete already
            value = result[place] if apart else result
            port.drop.store(value, self._encoding(port, self.output_parser))


class PyMemberApp(PyFuncApp):
    """Calls a method: `func_name` is `module.Class.method`.

    The object comes in through the port `self`; for `__init__` the class itself is called, and
    the new object is the result.
    """

    __slots__ = ()

    def function(self) -> Callable[..., Any]:
        """Return the method bound to the object that came in, or the class."""
        if self.func_code and not self.func_name:
            return super().function()
        owner, _, method = str(self.func_name).rpartition(".")
        if method in {"__init__", "__class__"}:
            return from_path(owner, self.uid)
        own = next((port for port in ports.inputs(self) if port.name in {"self", "base"}), None)
        if own is None:
            return super().function()
        return getattr(self._load(own), method)  # type: ignore[no-any-return]

    def _inputs(self, accepted: set[str]) -> tuple[dict[str, Any], list[Any], set[str]]:
        named, unnamed, without_data = super()._inputs(accepted)
        for name in ("self", "base"):
            if name not in accepted:
                named.pop(name, None)
        return named, unnamed, without_data


def _where(port: Port) -> Any:
    path = getattr(port.drop, "path", None)
    if port.encoding == "dataurl":
        return port.drop.dataURL
    if path is None:
        text = f"output port {port.name!r} wants a path, but drop {port.drop.uid} has none"
        raise ArgumentError(f"{text}; use a file drop")
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    return path


def _undill(text: Any) -> Any:
    if not isinstance(text, str):
        return text
    try:
        return serialize.decode(base64.b64decode(text, validate=True), "dill")
    except (ValueError, serialize.EncodingError):
        return text


@functools.lru_cache(maxsize=256)
def _compiled(source: str) -> tuple[types.CodeType, str]:
    """Return the compiled source and the name of the function it defines; empty for a lambda."""
    text = source.strip("\n")
    try:
        tree = ast.parse(text)
    except SyntaxError:
        tree = ast.parse(_dedented(text))
    functions = [
        n.name for n in tree.body if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    if functions:
        return compile(tree, "<func_code>", "exec"), functions[-1]
    if len(tree.body) == 1 and isinstance(tree.body[0], ast.Expr):
        return compile(ast.Expression(tree.body[0].value), "<func_code>", "eval"), ""
    raise ArgumentError("func_code defines no function")


def _dedented(text: str) -> str:
    import textwrap  # noqa: PLC0415  only for badly indented sources

    return textwrap.dedent(text)


def from_code(source: Any, name: str, who: str) -> Callable[..., Any]:
    """Return the function in `source`, called `name` or else the last one defined.

    Source is text, or base64 or bytes of a dill. Each call makes a new function with globals of
    its own, so drops do not see each other's.
    """
    try:
        if isinstance(source, bytes):
            return serialize.decode(source, "dill")  # type: ignore[no-any-return]
        code, last = _compiled(source)
    except SyntaxError as error:
        function = _undill(source)
        if callable(function):
            return function  # type: ignore[no-any-return]
        text = f"drop {who}: func_code is no Python: {error.msg} in line {error.lineno}"
        raise ArgumentError(text) from error
    except ArgumentError as error:
        function = _undill(source)
        if callable(function):
            return function  # type: ignore[no-any-return]
        raise ArgumentError(f"drop {who}: {error}") from None
    space: dict[str, Any] = {"__name__": "<func_code>", "__builtins__": builtins}
    if not last:
        function = _undill(source)  # letters, + and / can be an expression as well
        if callable(function):
            return function  # type: ignore[no-any-return]
        made = eval(code, space)  # noqa: S307  the graph's own code, which is an app like any other
        if callable(made):
            return made  # type: ignore[no-any-return]
        raise ArgumentError(f"drop {who}: func_code is an expression that is no function")
    exec(code, space)  # noqa: S102  as above
    return space.get(name.rpartition(".")[2], space[last])  # type: ignore[no-any-return]


def from_path(name: str, who: str) -> Callable[..., Any]:
    """Return the function with import path `name`; a bare name is a builtin.

    `Class.__init__` is the class, since there is no object yet that could be initialized.
    """
    name = name.removesuffix(".__init__")
    try:
        found = get_symbol(name) if "." in name else getattr(builtins, name)
    except (ImportError, AttributeError) as error:
        raise ArgumentError(
            f"drop {who}: func_name {name!r} cannot be imported: {error}"
        ) from error
    if not callable(found):
        raise ArgumentError(f"drop {who}: func_name {name!r} is no function")
    return found  # type: ignore[no-any-return]
