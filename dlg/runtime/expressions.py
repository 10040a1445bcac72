"""Delayed calls: expressions that remember what to compute, and compute it as a graph.

    >>> from dlg.runtime import delayed
    >>> @delayed
    ... def add(x, y):
    ...     return x + y
    >>> add(add(1, 2), 4).compute()
    7

Every call becomes an app drop with a memory drop for its result. Values pass by reference, an
expression that is used twice is computed once, and what raises in a call is raised by `compute`
with its own traceback.
"""

from __future__ import annotations

import operator
import secrets
import tempfile
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from dlg import plugins
from dlg.apps.call import Call, Packed, Slot
from dlg.exceptions import RunError
from dlg.graph.physical import DropKind, Links, LinkTable, PhysicalGraph

MEMORY = "dlg.data.memory.InMemoryDROP"
CALL = "dlg.apps.call.CallApp"
REMOTE = "dlg.runtime.remote:compute_there"
"""Imported where it is used: few computations go to other hosts."""
THREADED = "dlg.runtime.dask_graphs:threaded"
CONTAINERS = (list, tuple, set, frozenset, dict)


class Delayed:
    """The result of a call that has not been made yet.

    Calling it, taking an attribute or an item, and operators give further delayed values. With
    `nout` it stands for a sequence of that many values and can be unpacked.
    """

    __slots__ = ("_args", "_function", "_key", "_kwargs", "_nout")

    def __init__(
        self,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        nout: int | None = None,
    ) -> None:
        self._function, self._args, self._kwargs, self._nout = function, args, kwargs, nout
        self._key = ""

    def compute(self, **options: Any) -> Any:
        """Return the value; `options` are those of `compute`."""
        return compute(self, **options)

    def __repr__(self) -> str:
        return f"Delayed({getattr(self._function, '__name__', self._function)!s})"

    def __call__(self, *args: Any, nout: int | None = None, **kwargs: Any) -> Delayed:
        """Return the delayed result of calling what this stands for."""
        return Delayed(_call, (self, *args), kwargs, nout)

    def __getattr__(self, name: str) -> Delayed:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)  # protocols that look for special methods must not find any
        return Delayed(getattr, (self, name), {})

    def __getitem__(self, key: Any) -> Delayed:
        return Delayed(operator.getitem, (self, key), {})

    def __iter__(self) -> Iterator[Delayed]:
        if self._nout is None:
            raise TypeError("a delayed value has no known length; give nout to unpack it")
        return (self[place] for place in range(self._nout))

    def __len__(self) -> int:
        if self._nout is None:
            raise TypeError("a delayed value has no known length; give nout")
        return self._nout

    def __bool__(self) -> bool:
        raise TypeError("the truth of a delayed value is not known before it is computed")

    def __hash__(self) -> int:
        return id(self)

    # -- the protocol of Dask's collections: `dask.compute` takes these as well -----------------

    def __dask_graph__(self) -> dict[str, Any]:
        """Return the calls as tasks by key."""
        return _tasks(self)

    @property
    def dask(self) -> dict[str, Any]:
        """The same: Dask looks for it here first, and must not find a delayed attribute."""
        return _tasks(self)

    def __dask_keys__(self) -> list[str]:
        """Return the key of the value."""
        return [_key(self)]

    def __dask_tokenize__(self) -> str:
        """Return what tells this value from others."""
        return _key(self)

    def __dask_postcompute__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        """Return what makes the value out of the values of the keys."""
        return _only, ()

    def __dask_postpersist__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        """Return what makes a delayed value out of tasks that have been computed."""
        return _Computed, (_key(self),)

    @staticmethod
    def __dask_optimize__(tasks: Any, _keys: Any, **_options: Any) -> Any:
        """Return the tasks as they are."""
        return tasks

    @staticmethod
    def __dask_scheduler__(tasks: Any, keys: Any, **options: Any) -> Any:
        """Compute tasks, unless the caller or Dask's settings name another scheduler."""
        return plugins.resolve(THREADED)(tasks, keys, **options)


class _Computed:
    """A delayed value that Dask keeps computed: see `dask.persist`."""

    __slots__ = ("_name", "_tasks")

    def __init__(self, tasks: Mapping[str, Any], name: str, **_more: Any) -> None:
        self._tasks, self._name = tasks, name

    def __dask_graph__(self) -> Mapping[str, Any]:
        return self._tasks

    def __dask_keys__(self) -> list[str]:
        return [self._name]

    def __dask_tokenize__(self) -> str:
        return self._name

    def __dask_postcompute__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return _only, ()

    def __dask_postpersist__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return _Computed, (self._name,)

    __dask_optimize__ = staticmethod(Delayed.__dask_optimize__)
    __dask_scheduler__ = staticmethod(Delayed.__dask_scheduler__)

    def compute(self, **options: Any) -> Any:
        """Return the value; `options` go to Dask's scheduler."""
        return self.__dask_scheduler__(self._tasks, self._name, **options)


def _key(expression: Delayed) -> str:
    """Return the key of a value among Dask's: its own for as long as there is any of it."""
    if not expression._key:
        function = expression._function
        name = getattr(function, "__name__", type(function).__name__)
        expression._key = f"{name}-{secrets.token_hex(16)}"
    return expression._key


def _tasks(expression: Delayed) -> dict[str, Any]:
    """Return the calls that `expression` needs as tasks of Dask."""
    builder = _Builder()
    graph, _ = builder.build([expression])
    keys = [_key(one) for one in builder.expressions]
    inputs: list[list[str]] = [[] for _ in keys]
    for data, app in zip(builder.src, builder.dst, strict=True):
        inputs[app // 2].append(keys[data // 2])
    return {
        key: (_make_call, graph.specs[2 * place]["call"], inputs[place])
        for place, key in enumerate(keys)
    }


def _make_call(call: Call, values: list[Any]) -> Any:
    return call(values)


def _only(values: Any) -> Any:
    return values[0]


class DelayedFunction:
    """A function whose calls are delayed."""

    __slots__ = ("__wrapped__", "_nout")

    def __init__(self, function: Callable[..., Any], nout: int | None) -> None:
        self.__wrapped__, self._nout = function, nout

    def __call__(self, *args: Any, **kwargs: Any) -> Delayed:
        """Return the delayed result of calling the function with `args` and `kwargs`."""
        return Delayed(self.__wrapped__, args, kwargs, self._nout)

    def __repr__(self) -> str:
        return f"delayed({getattr(self.__wrapped__, '__name__', self.__wrapped__)!s})"

    def __getattr__(self, name: str) -> Delayed:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        return Delayed(getattr, (self.__wrapped__, name), {})

    def compute(self, **options: Any) -> Callable[..., Any]:
        """Return the function itself, which needs no computing."""
        return self.__wrapped__


def _call(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    return function(*args, **kwargs)


def _value(value: Any) -> Any:
    return value


def _binary(function: Callable[[Any, Any], Any]) -> Callable[[Delayed, Any], Delayed]:
    def method(self: Delayed, other: Any) -> Delayed:
        return Delayed(function, (self, other), {})

    return method


def _reflected(function: Callable[[Any, Any], Any]) -> Callable[[Delayed, Any], Delayed]:
    def method(self: Delayed, other: Any) -> Delayed:
        return Delayed(function, (other, self), {})

    return method


def _unary(function: Callable[[Any], Any]) -> Callable[[Delayed], Delayed]:
    def method(self: Delayed) -> Delayed:
        return Delayed(function, (self,), {})

    return method


def _add_operators() -> None:
    """Give `Delayed` the operators of Python, each of which delays one call."""
    for name in (
        "add",
        "sub",
        "mul",
        "matmul",
        "truediv",
        "floordiv",
        "mod",
        "pow",
        "lshift",
        "rshift",
    ):
        setattr(Delayed, f"__{name}__", _binary(getattr(operator, name)))
        setattr(Delayed, f"__r{name}__", _reflected(getattr(operator, name)))
    for name in ("and_", "or_", "xor"):
        plain = name.rstrip("_")
        setattr(Delayed, f"__{plain}__", _binary(getattr(operator, name)))
        setattr(Delayed, f"__r{plain}__", _reflected(getattr(operator, name)))
    for name in ("lt", "le", "eq", "ne", "gt", "ge"):
        setattr(Delayed, f"__{name}__", _binary(getattr(operator, name)))
    for name in ("neg", "pos", "invert", "abs"):
        setattr(Delayed, f"__{name}__", _unary(getattr(operator, name)))


_add_operators()


def delayed(x: Any, *args: Any, nout: int | None = None, **kwargs: Any) -> Any:
    """Return `x` delayed: a function whose calls are, or a value that may hold delayed ones.

    `nout` says how many values calls of the function return, so that they can be unpacked. Other
    arguments are accepted and ignored, as the published interface has it.
    """
    if isinstance(x, Delayed | DelayedFunction):
        return x
    if callable(x):
        return DelayedFunction(x, nout)
    return Delayed(_value, (x,), {}, nout)


def compute(
    *values: Any, engine: str = "embedded", manager: str | None = None, **options: Any
) -> Any:
    """Compute delayed values, alone or inside lists, tuples, sets and dictionaries, as one graph.

    Returns the value of one argument, or a tuple of those of several. `engine` names the engine
    and `options` go to it (`runner`, `workers`, `timeout`). With `manager`, as `host:port`, the
    calls are made on the nodes of that manager. An exception in a call is raised here.
    """
    wanted = [v if isinstance(v, Delayed) else Delayed(_value, (v,), {}) for v in values]
    graph, rows = _Builder().build(wanted)
    if manager is not None:
        there = plugins.resolve(REMOTE)(graph, rows, manager, **options)
        return there[0] if len(there) == 1 else there
    with tempfile.TemporaryDirectory(prefix="dlg-delayed-") as directory:
        report = plugins.engine(engine)(graph, **{"workdir": directory, **options})
        _raise_failure(report)
        results = tuple(report.result(graph.oids[row]) for row in rows)
    return results[0] if len(results) == 1 else results


def _raise_failure(report: Any) -> None:
    if report.status == "FINISHED":
        return
    for error in report.errors:
        if error.error is not None:
            error.error.add_note(f"raised in the delayed call {error.name!r}")
            raise error.error
    raise RunError(f"the computation was not finished: {report.reason or report.status}")


class _Builder:
    """Turns expressions into a physical graph; each call is two rows, an app and its result."""

    def __init__(self) -> None:
        self.places: dict[int, int] = {}
        """The place of each call in the order of the graph, by the identity of the expression."""
        self.expressions: list[Delayed] = []
        self.specs: list[dict[str, Any]] = []
        self.src: list[int] = []
        self.dst: list[int] = []

    def build(self, wanted: list[Delayed]) -> tuple[PhysicalGraph, list[int]]:
        """Return the graph that computes `wanted`, and the rows of its results."""
        for expression in wanted:
            self._add_all(expression)
        rows = [2 * self.places[id(expression)] + 1 for expression in wanted]
        for row in rows:
            self.specs[row] = {"persist": True}
        count = len(self.specs)
        apps = np.arange(0, count, 2, dtype=np.int32)
        consumers = LinkTable(np.asarray(self.src, np.int32), np.asarray(self.dst, np.int32))
        graph = PhysicalGraph(
            oids=[f"{'d' if row % 2 else 'a'}{row // 2}" for row in range(count)],
            kinds=bytes([DropKind.APP, DropKind.DATA]) * (count // 2),
            class_names=[CALL, MEMORY],
            class_ids=[0, 1] * (count // 2),
            links=Links(consumers=consumers, outputs=LinkTable(apps, apps + 1)),
            specs=self.specs,
            source="delayed",
        )
        return graph, rows

    def _add_all(self, expression: Delayed) -> None:
        """Add `expression` after everything it needs, without recursion along the calls."""
        stack = [expression]
        while stack:
            top = stack[-1]
            if id(top) in self.places:
                stack.pop()
                continue
            needed = [e for e in _parts(top) if id(e) not in self.places]
            if needed:
                stack.extend(needed)
            else:
                stack.pop()
                self._add(top)

    def _add(self, expression: Delayed) -> None:
        place = self.places[id(expression)] = len(self.places)
        self.expressions.append(expression)
        inputs: dict[int, int] = {}
        args = tuple(self._template(a, inputs) for a in expression._args)
        kwargs = {k: self._template(v, inputs) for k, v in expression._kwargs.items()}
        self.src += [2 * before + 1 for before in inputs]
        self.dst += [2 * place] * len(inputs)
        function = expression._function
        name = getattr(function, "__name__", type(function).__name__)
        self.specs.append({"name": name, "call": Call(function, args, kwargs)})
        self.specs.append(NOTHING)

    def _template(self, value: Any, inputs: dict[int, int]) -> Any:
        """Return `value` with slots for the delayed values in it, which are noted in `inputs`."""
        if type(value) is Delayed:
            before = self.places[id(value)]
            return Slot(inputs.setdefault(before, len(inputs)))
        if type(value) is DelayedFunction:
            return value.__wrapped__
        if type(value) not in CONTAINERS or not any(True for _ in _inside(value)):
            return value
        if type(value) is dict:
            items: list[Any] = [
                (self._template(k, inputs), self._template(v, inputs)) for k, v in value.items()
            ]
        else:
            items = [self._template(item, inputs) for item in value]
        return Packed(type(value), items)


NOTHING: dict[str, Any] = {}


def _parts(expression: Delayed) -> Iterator[Delayed]:
    """Yield the delayed values among the arguments of a call, also inside containers."""
    for argument in (*expression._args, *expression._kwargs.values()):
        if type(argument) is Delayed:
            yield argument
        elif type(argument) in CONTAINERS:
            yield from (v for v in _inside(argument) if type(v) is Delayed)


def _inside(container: Any) -> Iterator[Any]:
    """Yield the delayed values and functions anywhere inside a container."""
    stack = [container]
    while stack:
        value = stack.pop()
        if type(value) is Delayed or type(value) is DelayedFunction:
            yield value
        elif type(value) is dict:
            stack.extend(reversed([*value.keys(), *value.values()]))
        elif type(value) in CONTAINERS:
            stack.extend(reversed(list(value)))
