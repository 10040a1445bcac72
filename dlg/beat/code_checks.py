"""What can be seen in the code of an asset without running it.

None of it makes an asset invalid: the code may be for another Python, or make its classes in ways
that cannot be seen. But whoever checks a prefix wants to know.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from dlg.beat.algorithm import Algorithm
from dlg.beat.asset import Asset, CodeAsset
from dlg.beat.database import Database
from dlg.beat.plotter import Plotter

__all__ = ["code_warnings"]

PYTHON = "python"


def code_warnings(asset: Asset) -> Iterator[str]:
    """Yield what seems wrong with the Python code of a valid asset, if it has some."""
    if not isinstance(asset, CodeAsset) or asset.language != PYTHON or asset.code is None:
        return
    try:
        tree = ast.parse(asset.code)
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None)
        place = f"line {line}" if line else "the code"
        yield f"{place} is no Python: {getattr(error, 'msg', error)}"
        return
    defined = set(_defined(tree))
    if "*" in defined:
        return
    for name, why in _wanted(asset):
        if name not in defined:
            yield f"the code has no class `{name}', which {why}"


def _wanted(asset: CodeAsset) -> Iterator[tuple[str, str]]:
    if isinstance(asset, Algorithm):
        yield "Algorithm", "is what is run"
    elif isinstance(asset, Plotter):
        yield "Plotter", "is what is run"
    elif isinstance(asset, Database):
        for protocol in asset.protocol_names:
            for name in asset.set_names(protocol):
                view = asset.view_definition(protocol, name).get("view")
                if view is not None:
                    yield view, f"is the view of the set `{name}' of protocol `{protocol}'"


def _defined(tree: ast.Module) -> Iterator[str]:
    """Yield the names that a module has once it is run, as far as that can be seen."""
    for node in ast.walk(tree):
        match node:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name):
                yield name
            case ast.Name(id=name, ctx=ast.Store()):
                yield name
            case ast.alias(name=name, asname=alias):
                yield alias or name
            case _:
                pass
