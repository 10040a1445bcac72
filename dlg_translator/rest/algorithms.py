"""The table of algorithms and their options, as a form needs it.

The words are those of the code: an algorithm's docstring, and the text below each option.
"""

from __future__ import annotations

import ast
import functools
import inspect
import itertools
import textwrap
import types
import typing
from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any

from dlg_translator.partition.options import algorithm_class, algorithms

_TYPES: Mapping[object, str] = {int: "whole", float: "real", bool: "flag"}


@functools.cache
def all_algorithms() -> list[dict[str, Any]]:
    """Return name, summary and options of every algorithm there is."""
    return [_describe(name) for name in algorithms()]


def _describe(name: str) -> dict[str, Any]:
    kind = algorithm_class(name)
    words = option_words(kind)
    hints = typing.get_type_hints(kind)
    return {
        "name": name,
        "summary": (kind.__doc__ or "").strip().partition("\n\n")[0],
        "options": [
            {
                "name": field.name,
                "type": _type(hints[field.name]),
                "default": None if field.default is MISSING else field.default,
                "required": field.default is MISSING,
                "help": words.get(field.name, ""),
            }
            for field in fields(kind)  # type: ignore[arg-type]
        ],
    }


def _type(hint: object) -> str:
    if isinstance(hint, types.UnionType):
        hint = next(kind for kind in hint.__args__ if kind is not type(None))
    return _TYPES.get(hint, "text")


def option_words(kind: type) -> dict[str, str]:
    """Return the text that stands below each attribute of a class; {} without its source."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(kind)))
    except (OSError, TypeError):  # it was not made from a file
        return {}
    found: dict[str, str] = {}
    body = tree.body[0].body if isinstance(tree.body[0], ast.ClassDef) else []
    for before, node in itertools.pairwise(body):
        if not (isinstance(before, ast.AnnAssign) and isinstance(before.target, ast.Name)):
            continue
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            found[before.target.id] = " ".join(str(node.value.value).split())
    return found
