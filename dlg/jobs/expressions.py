"""The value of an expression: a walk over its tree that counts what it does.

Names are `metadata`, `requested_metadata`, `constants`, and the variables of comprehensions.
Nothing here asks Python to evaluate anything, and every operator is checked before it is used.
"""

from __future__ import annotations

import ast
import operator
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dlg.jobs import templates
from dlg.jobs.constants import BARE, CONSTANTS
from dlg.jobs.errors import ExpressionError
from dlg.jobs.functions import FUNCTIONS, MATH, RANDOM
from dlg.jobs.language import MODULES, Expression, column_of, is_expression, parse
from dlg.jobs.limits import MAX_BITS, MAX_STEPS, SCALARS, Budget, LimitError, Meter, checked

__all__ = ["Surroundings", "evaluate", "evaluate_in_structure", "is_expression"]

RAW = frozenset(["task_list", "else_task_list", "repeat_criterion", "qc_criterion"])
"""What is evaluated only later, by who runs what it belongs to."""

_OPERATORS: Mapping[type, Callable[..., Any]] = {
    ast.Sub: operator.sub, ast.Div: operator.truediv, ast.FloorDiv: operator.floordiv,
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le,
    ast.Gt: operator.gt, ast.GtE: operator.ge, ast.Is: operator.is_, ast.IsNot: operator.is_not,
    ast.UAdd: operator.pos, ast.USub: operator.neg, ast.Not: operator.not_,
}  # fmt: skip
_WHAT_PYTHON_SAYS = (ArithmeticError, LookupError, TypeError, ValueError, RecursionError)


_METHODS: Mapping[type, str] = {
    ast.Constant: "_constant", ast.Name: "_name", ast.Attribute: "_name",
    ast.List: "_sequence", ast.Tuple: "_sequence", ast.Dict: "_dict",
    ast.Subscript: "_subscript", ast.BinOp: "_binary", ast.UnaryOp: "_unary",
    ast.BoolOp: "_boolean", ast.Compare: "_compare", ast.IfExp: "_choice", ast.Call: "_call",
    ast.ListComp: "_list", ast.GeneratorExp: "_list", ast.DictComp: "_mapping",
}  # fmt: skip


@dataclass(slots=True)
class Surroundings:
    """What the names in expressions stand for."""

    metadata: Mapping[str, Any] = field(default_factory=dict)
    requested_metadata: Mapping[str, Any] = field(default_factory=dict)
    seed: str = ""
    """Where random numbers start; the same seed and the same expression give the same."""
    meter: Meter | None = None
    """What all that is evaluated here may take together; None for no limit but those of each."""

    def inside(self, metadata: Mapping[str, Any]) -> Surroundings:
        """Return what there is with other metadata, and without results."""
        return Surroundings(metadata, {}, self.seed, self.meter)


def evaluate(value: Any, around: Surroundings, place: str = "") -> Any:
    """Return the value of an expression, or a literal: a text without the blanks around it.

    Random numbers depend on the seed, on `place`, and on the expression.

    Raises `ExpressionError`.
    """
    if not isinstance(value, str):
        return value
    if not is_expression(value):
        return value.strip()
    expression = parse(value)
    walk = _Walk(expression, around, place)
    try:
        if around.meter is not None:
            around.meter.check()
        found = walk.value(expression.tree)
        if type(found) not in SCALARS:
            walk.budget.weigh(found)
    except LimitError as error:
        raise ExpressionError(str(error), expression.text) from error
    finally:
        if around.meter is not None:
            around.meter.left -= MAX_STEPS - walk.budget.left
    return dict(found) if isinstance(found, Mapping) else found


def evaluate_in_structure(structure: Any, around: Surroundings, place: str = "") -> Any:
    """Return a structure of lists and dictionaries with the value of each expression in it.

    Keys are evaluated as well, tuples become lists, and what stands under a name in `RAW` is left
    as it is. Values are not evaluated again.
    """
    if isinstance(structure, Mapping):
        return {
            evaluate(key, around, place): value
            if key in RAW
            else evaluate_in_structure(value, around, f"{place}/{key}")
            for key, value in structure.items()
        }
    if isinstance(structure, list | tuple):
        return [
            evaluate_in_structure(item, around, f"{place}/{number}")
            for number, item in enumerate(structure)
        ]
    return evaluate(structure, around, place)


class _Walk:
    """One evaluation of an expression."""

    def __init__(self, expression: Expression, around: Surroundings, place: str) -> None:
        self.expression, self.around, self.place = expression, around, place
        self.budget = Budget()
        self.variables: dict[str, Any] = {}
        self._random: random.Random | None = None

    def value(self, node: ast.AST) -> Any:
        """Return the value of a node."""
        self.budget.left -= 1
        if self.budget.left < 0:
            self.budget.spend(0)
        try:
            return getattr(self, _METHODS[type(node)])(node)
        except ExpressionError:
            raise
        except LimitError as error:
            raise self._error(str(error), node) from error
        except KeyError as error:
            raise self._error(f"there is no {error.args[0]!r}", node) from error
        except _WHAT_PYTHON_SAYS as error:
            raise self._error(str(error) or type(error).__name__, node) from error

    def _error(self, reason: str, node: ast.AST) -> ExpressionError:
        return ExpressionError(reason, self.expression.text, column_of(node))

    # -- values ---------------------------------------------------------------------------

    def _constant(self, node: ast.Constant) -> Any:
        return checked(node.value)

    def _name(self, node: ast.Name | ast.Attribute) -> Any:
        if isinstance(node, ast.Attribute):  # the language allows those of `constants` only
            return CONSTANTS[node.attr]
        name = node.id
        if name in self.variables:
            return self.variables[name]
        if name == "metadata":
            return self.around.metadata
        if name == "requested_metadata":
            return self.around.requested_metadata
        if name == "constants":
            return CONSTANTS
        if name in BARE:
            return CONSTANTS[name]
        raise LimitError(f"there is nothing of the name {name!r} (metadata['{name}']?)")

    def _sequence(self, node: ast.List | ast.Tuple) -> Any:
        found = [self.value(item) for item in node.elts]
        return found if isinstance(node, ast.List) else tuple(found)

    def _dict(self, node: ast.Dict) -> dict[Any, Any]:
        return {
            self._key(key): self.value(item)
            for key, item in zip(node.keys, node.values, strict=True)
            if key is not None
        }

    def _key(self, node: ast.AST) -> Any:
        found = self.value(node)
        if type(found) not in SCALARS:
            raise LimitError("keys are texts and numbers")
        return found

    def _subscript(self, node: ast.Subscript) -> Any:
        owner = self.value(node.value)
        if isinstance(node.slice, ast.Slice):
            limits = (node.slice.lower, node.slice.upper, node.slice.step)
            found = owner[slice(*(None if one is None else self.value(one) for one in limits))]
            self.budget.spend(len(found))
            return found
        key = self._key(node.slice)
        if isinstance(owner, Mapping):
            if key not in owner:
                known = ", ".join(sorted(map(str, owner))[:10]) or "nothing"
                raise LimitError(f"there is no {key!r}, only {known}")
            return plain(owner[key])
        return owner[key]

    # -- operators ------------------------------------------------------------------------

    def _binary(self, node: ast.BinOp) -> Any:
        left, right = self.value(node.left), self.value(node.right)
        special = _SPECIAL.get(type(node.op))
        if special is not None:
            return checked(special(self.budget, left, right))
        return checked(_OPERATORS[type(node.op)](left, right))

    def _unary(self, node: ast.UnaryOp) -> Any:
        return checked(_OPERATORS[type(node.op)](self.value(node.operand)))

    def _boolean(self, node: ast.BoolOp) -> Any:
        stop = isinstance(node.op, ast.Or)
        found = None
        for one in node.values:
            found = self.value(one)
            if bool(found) is stop:
                break
        return found

    def _compare(self, node: ast.Compare) -> bool:
        left = self.value(node.left)
        for sign, other in zip(node.ops, node.comparators, strict=True):
            right = self.value(other)
            if type(left) not in SCALARS or type(right) not in SCALARS:
                self.budget.weigh(left)
                self.budget.weigh(right)
            if isinstance(sign, ast.In | ast.NotIn):
                holds = (left in right) is isinstance(sign, ast.In)
            else:
                holds = bool(_OPERATORS[type(sign)](left, right))
            if not holds:
                return False
            left = right
        return True

    def _choice(self, node: ast.IfExp) -> Any:
        return self.value(node.body if self.value(node.test) else node.orelse)

    # -- calls ----------------------------------------------------------------------------

    def _call(self, node: ast.Call) -> Any:
        function = node.func
        given = [self.value(one) for one in node.args]
        if isinstance(function, ast.Name):
            if function.id in FUNCTIONS:
                named = self._named(node)
                return checked(FUNCTIONS[function.id](self.budget, *given, **named))
            return checked(MATH[function.id](*given))
        assert isinstance(function, ast.Attribute)  # noqa: S101  the language allows no other
        if isinstance(function.value, ast.Name) and function.value.id in MODULES:
            if function.value.id == "random":
                return checked(RANDOM[function.attr](self._source(), *given))
            return checked(MATH[function.attr](*given))
        template = self.value(function.value)
        if type(template) is not str:
            raise LimitError(f"only texts have .format(), not {type(template).__name__}")
        return templates.fill(template, given, self._named(node), self.budget)

    def _named(self, node: ast.Call) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for keyword in node.keywords:
            value = self.value(keyword.value)
            if keyword.arg is not None:
                found[keyword.arg] = value
                continue
            if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
                raise LimitError("** takes metadata, or a dictionary with texts as keys")
            self.budget.items(len(value))
            found.update((key, plain(item)) for key, item in value.items())
        return found

    def _source(self) -> random.Random:
        if self._random is None:
            # Not for secrets: two runs of a job must make the same.
            seed = f"{self.around.seed}:{self.place}:{self.expression.text}"
            self._random = random.Random(seed)  # noqa: S311
        return self._random

    # -- comprehensions -------------------------------------------------------------------

    def _list(self, node: ast.ListComp | ast.GeneratorExp) -> list[Any]:
        found: list[Any] = []
        for _ in self._rounds(node.generators):
            found.append(self.value(node.elt))
            self.budget.items(1)
        return checked(found)  # type: ignore[no-any-return]

    def _mapping(self, node: ast.DictComp) -> dict[Any, Any]:
        found: dict[Any, Any] = {}
        for _ in self._rounds(node.generators):
            found[self._key(node.key)] = self.value(node.value)
        return checked(found)  # type: ignore[no-any-return]

    def _rounds(self, generators: Sequence[ast.comprehension]) -> Iterator[None]:
        if not generators:
            yield
            return
        first, *others = generators
        values = self.value(first.iter)
        if not isinstance(values, list | tuple | dict | str | Mapping):
            raise LimitError(f"{type(values).__name__} has no items")
        before = dict(self.variables)
        for value in list(values):
            self.budget.spend()
            _assign(self.variables, first.target, value)
            if all(self.value(condition) for condition in first.ifs):
                yield from self._rounds(others)
        self.variables = before


def _assign(variables: dict[str, Any], target: ast.AST, value: Any) -> None:
    """Give the variables of a comprehension their values."""
    if isinstance(target, ast.Name):
        variables[target.id] = value
        return
    if not isinstance(target, ast.Tuple | ast.List):
        raise LimitError("only names can stand there")
    if not isinstance(value, list | tuple) or len(value) != len(target.elts):
        raise LimitError(f"there must be {len(target.elts)} items")
    for one, item in zip(target.elts, value, strict=True):
        _assign(variables, one, item)


def plain(value: Any) -> Any:
    """Return a value of metadata as expressions may have it."""
    if isinstance(value, Mapping) and type(value) is not dict:
        return dict(value)
    return checked(value)


def _power(budget: Budget, base: Any, exponent: Any) -> Any:
    if not isinstance(base, int | float) or not isinstance(exponent, int | float):
        raise LimitError("only numbers have powers")
    if isinstance(base, float) or isinstance(exponent, float):
        return base**exponent
    if base.bit_length() * abs(exponent) > MAX_BITS:
        raise LimitError("the power is too large")
    return base**exponent


def _times(budget: Budget, left: Any, right: Any) -> Any:
    for many, count in ((left, right), (right, left)):
        if isinstance(many, str | list | tuple):
            if not isinstance(count, int):
                raise LimitError("texts and lists are repeated a whole number of times")
            (budget.text if isinstance(many, str) else budget.items)(len(many) * max(0, count))
    return left * right


def _plus(budget: Budget, left: Any, right: Any) -> Any:
    if isinstance(left, str) and isinstance(right, str):
        budget.text(len(left) + len(right))
    elif isinstance(left, list | tuple) and isinstance(right, list | tuple):
        budget.items(len(left) + len(right))
    return left + right


def _modulo(budget: Budget, left: Any, right: Any) -> Any:
    if not isinstance(left, int | float):
        raise LimitError("% is for numbers; texts are filled in by .format()")
    return left % right


_SPECIAL: Mapping[type, Callable[[Budget, Any, Any], Any]] = {
    ast.Pow: _power, ast.Mult: _times, ast.Add: _plus, ast.Mod: _modulo,
}  # fmt: skip
