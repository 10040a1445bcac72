"""What expressions may consist of: the allow-list, and the trees of those that keep to it."""

from __future__ import annotations

import ast
import functools
from dataclasses import dataclass

from dlg.jobs.errors import ExpressionError
from dlg.jobs.functions import FUNCTIONS, MATH, RANDOM
from dlg.jobs.limits import MAX_DEPTH, MAX_SOURCE

METADATA = "metadata"
REQUESTED = "requested_metadata"
CONSTANTS = "constants"
RESERVED = frozenset([METADATA, REQUESTED, CONSTANTS])
MODULES = {"math": MATH, "random": RANDOM}

_STARTS = ("'", '"', "(")
_ALLOWED = (
    ast.Constant, ast.List, ast.Tuple, ast.Dict, ast.Name, ast.Load, ast.Store, ast.Subscript,
    ast.Slice, ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.IfExp, ast.Call, ast.keyword,
    ast.ListComp, ast.GeneratorExp, ast.DictComp, ast.comprehension, ast.And, ast.Or, ast.Not,
    ast.UAdd, ast.USub, ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow,
    ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.In, ast.NotIn, ast.Is, ast.IsNot,
)  # fmt: skip
_WORDS = {
    ast.Attribute: "attributes are not possible (only 'text'.format, math.*, random.*)",
    ast.Lambda: "functions cannot be made",
    ast.JoinedStr: "f-strings are not possible; write 'text {name}'.format(**metadata)",
    ast.NamedExpr: "names cannot be given values",
    ast.Await: "nothing can be waited for",
    ast.Starred: "* is not possible here",
    ast.SetComp: "sets are not possible; use a list",
    ast.Set: "sets are not possible; use a list",
}


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression that keeps to the language."""

    text: str
    tree: ast.expr
    late: bool
    """Whether it needs `requested_metadata`, which is known only once other tasks have run."""


def is_expression(value: object) -> bool:
    """Return whether a value of a job is an expression: a text that begins with ' or " or (."""
    return isinstance(value, str) and value.lstrip().startswith(_STARTS)


@functools.lru_cache(maxsize=8192)
def parse(text: str) -> Expression:
    """Return the expression that a text is; raise `ExpressionError` if it is none."""
    source = text.strip()
    if len(source) > MAX_SOURCE:
        reason = f"it is longer than {MAX_SOURCE} characters"
        raise ExpressionError(reason, source)
    try:
        # In brackets, so that it may go over several lines.
        tree = ast.parse(f"({source}\n)", mode="eval").body
    except SyntaxError as error:
        column = (error.offset or 0) - 2 if error.lineno in (1, None) else -1
        raise ExpressionError(f"it cannot be read: {error.msg}", source, max(-1, column)) from None
    except (ValueError, MemoryError, RecursionError) as error:
        raise ExpressionError("it cannot be read: too deep, or no text", source) from error
    names: set[str] = set()
    for node in _nodes(tree, source):
        if isinstance(node, ast.Name):
            names.add(node.id)
    return Expression(source, tree, REQUESTED in names)


def column_of(node: ast.AST) -> int:
    """Return where in its expression a node begins."""
    if getattr(node, "lineno", 0) != 1:
        return -1
    return max(0, int(getattr(node, "col_offset", 1)) - 1)


def _nodes(tree: ast.expr, source: str) -> list[ast.AST]:
    """Return all nodes of a tree; refuse what is not on the list."""
    found: list[ast.AST] = []
    waiting: list[tuple[ast.AST, int]] = [(tree, 0)]
    while waiting:
        node, depth = waiting.pop()
        found.append(node)
        if depth > MAX_DEPTH:
            raise ExpressionError("it is too deep", source, column_of(node))
        waiting.extend((child, depth + 1) for child in _children(node, source))
    return found


def _children(node: ast.AST, source: str) -> list[ast.AST]:
    """Return the nodes below one that is allowed; the name of a function is none of them."""
    if _is_constant(node):
        return []
    if not isinstance(node, _ALLOWED):
        reason = _WORDS.get(type(node), f"{type(node).__name__} is not part of the language")
        raise ExpressionError(reason, source, column_of(node))
    if isinstance(node, ast.Constant) and not isinstance(
        node.value, type(None) | bool | int | float | str
    ):
        kind = type(node.value).__name__
        raise ExpressionError(f"values of type {kind} are not possible", source, column_of(node))
    if isinstance(node, ast.comprehension) and node.is_async:
        raise ExpressionError("nothing can be waited for", source)
    if isinstance(node, ast.Dict) and None in node.keys:
        raise ExpressionError("** is not possible here", source, column_of(node))
    if isinstance(node, ast.Name):
        _check_name(node, source)
    if isinstance(node, ast.Call):
        return _called(node, source)
    return list(ast.iter_child_nodes(node))


def _is_constant(node: ast.AST) -> bool:
    """Return whether a node is `constants.name`, a table and none of the attributes of Python."""
    return (
        isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == CONSTANTS
        and not node.attr.startswith("_")
    )


def _check_name(node: ast.Name, source: str) -> None:
    if node.id.startswith("__") or (isinstance(node.ctx, ast.Store) and node.id in RESERVED):
        raise ExpressionError(f"the name {node.id!r} is not possible", source, column_of(node))


def _called(node: ast.Call, source: str) -> list[ast.AST]:
    """Return what a call is made with; refuse to call what is no function of the language."""
    function = node.func
    below: list[ast.AST] = [*node.args, *(keyword.value for keyword in node.keywords)]
    if isinstance(function, ast.Attribute):
        owner = function.value
        if isinstance(owner, ast.Name) and owner.id in MODULES:
            _check_plain(node, source)
            if function.attr not in MODULES[owner.id]:
                name = f"{owner.id}.{function.attr}"
                raise ExpressionError(f"there is no function {name}", source, column_of(node))
            return below
        if function.attr == "format":
            below.append(owner)
            return below
        reason = f".{function.attr}() is not possible: {_WORDS[ast.Attribute]}"
        raise ExpressionError(reason, source, column_of(function))
    if not isinstance(function, ast.Name):
        raise ExpressionError("only functions can be called", source, column_of(function))
    if function.id not in FUNCTIONS and function.id not in MATH:
        raise ExpressionError(f"there is no function {function.id!r}", source, column_of(function))
    if function.id != "dict":
        _check_plain(node, source)
    return below


def _check_plain(node: ast.Call, source: str) -> None:
    if node.keywords:
        reason = "values are given by position here, without names"
        raise ExpressionError(reason, source, column_of(node))
