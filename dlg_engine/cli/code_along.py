"""Functions of the user's own modules, sent along with a graph, since nodes do not have them.

A graph names functions. Those of installed packages are on the nodes as well; those of a module
beside the graph are only here. They are put into the graph with their code, unless that would
make it much bigger: then nodes have to import them from a directory of their own.
"""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, overload

import click

from dlg.drops.parameters import values_of
from dlg.reproducibility.code import CodeBook
from dlg.reproducibility.fields import SENT_ALONG
from dlg.reproducibility.strict import fingerprint_of_sent
from dlg.support import by_value
from dlg.support.symbols import UnknownSymbolError, get_symbol
from dlg_engine.cli.dividing import Placed
from dlg_translator.model.template import PhysicalTemplate
from dlg_translator.partition.template import Template

MOST_BYTES = 1 << 25
"""How much code may add to a graph."""


class SpecsWithCode(Sequence[Mapping[str, Any]]):
    """Specs in which functions stand with their code."""

    def __init__(
        self, specs: Sequence[Mapping[str, Any]], added: Mapping[str, Mapping[str, str]]
    ) -> None:
        """`added` is what is added to the specs that name a function."""
        self._specs, self._added = specs, added

    def __len__(self) -> int:
        return len(self._specs)

    @overload
    def __getitem__(self, index: int) -> Mapping[str, Any]: ...
    @overload
    def __getitem__(self, index: slice) -> list[Mapping[str, Any]]: ...
    def __getitem__(self, index: int | slice) -> Mapping[str, Any] | list[Mapping[str, Any]]:
        if isinstance(index, slice):
            return [self._with_code(spec) for spec in self._specs[index]]
        return self._with_code(self._specs[index])

    def __iter__(self) -> Iterator[Mapping[str, Any]]:
        return map(self._with_code, iter(self._specs))

    def _with_code(self, spec: Mapping[str, Any]) -> Mapping[str, Any]:
        added = self._added.get(function_name(spec))
        return spec if added is None else {**spec, **added}


def function_name(spec: Mapping[str, Any]) -> str:
    """Return the function that a dropspec names and does not have the code of; "" for none."""
    if spec.get("categoryType") == "Data":
        return ""
    name = spec.get("func_name")
    if isinstance(name, str) and not spec.get("func_code"):
        return name
    given = values_of(spec)
    return "" if given.get("func_code") else str(given.get("func_name") or "")


def send_code_along(
    placed: Placed, template: Template, directories: Sequence[Path], *, signed: bool = False
) -> Sequence[Mapping[str, Any]]:
    """Return the specs of a graph, with the code of functions from `directories` in them.

    If they are `signed`, what each function is stands there, too: nodes do not have its source.
    """
    used = {
        name: count for name, count in _uses(template).items()
        if "." in name and by_value.is_of(name, directories)
    }  # fmt: skip
    codes: dict[str, str] = {}
    for name in used:
        try:
            packed = by_value.pack(get_symbol(name), directories)
        except UnknownSymbolError as error:
            if error.__cause__ is None:  # the module is the user's own, so no node can have it
                raise
            _tell_left_out([name], f"it cannot be sent along: {error}")
            continue
        except Exception as error:  # noqa: BLE001  what a module of a user may raise
            _tell_left_out([name], f"it cannot be sent along: {error}")
            continue
        codes[name] = base64.b64encode(packed).decode()
    added = sum(len(code) * used[name] for name, code in codes.items())
    if added > MOST_BYTES:
        _tell_left_out(list(codes), f"their code would make the graph {added >> 20} MiB bigger")
        return placed.specs
    return SpecsWithCode(placed.specs, _added(codes, signed=signed)) if codes else placed.specs


def _added(codes: Mapping[str, str], *, signed: bool) -> dict[str, dict[str, str]]:
    """Return for each function what is added to the specs that name it."""
    book = CodeBook()
    found = {name: {"func_code": code} for name, code in codes.items()}
    for name, added in found.items() if signed else ():
        added[SENT_ALONG] = fingerprint_of_sent(codes[name], book.of_name(name))
    return found


def _uses(template: Template) -> Counter[str]:
    """Return how many drops call which function."""
    found: Counter[str] = Counter()
    if isinstance(template, PhysicalTemplate):  # the instances of an entity call the same one
        for start, end in zip(template.starts, template.starts[1:], strict=False):
            if start < end:
                found[function_name(template.spec(start))] += end - start
    else:
        found.update(map(function_name, template.specs))
    return found


def _tell_left_out(names: Sequence[str], why: str) -> None:
    click.echo(
        f"{', '.join(names)}: {why}; nodes have to find the module themselves (dlg nm --path DIR)",
        err=True,
    )
