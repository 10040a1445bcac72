"""Numbers the translator works with: copies, iterations, widths, times and volumes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dlg_translator.checks.kinds import Place, Report
from dlg_translator.model import names
from dlg_translator.model.logical import EmbeddedApp, Field, LogicalGraph, Node
from dlg_translator.model.values import IllTypedError, cast, integer, real

_TYPED = frozenset({"Integer", "Float", "Boolean"})


@dataclass(frozen=True, slots=True)
class Number:
    """A number that nodes of some category or type have."""

    of: str
    """The category, or the type of categories."""
    names: tuple[str, ...]
    read: Callable[[object], float]
    least: int
    if_missing: str = ""
    """The kind of problem it is not to state the number."""


NUMBERS: Sequence[Number] = (
    Number("Scatter", names.COPIES, integer, 1, "no-copies"),
    Number("Loop", names.ITERATIONS, integer, 1, "no-iterations"),
    Number("Gather", names.GATHER_WIDTH, integer, 1, "no-width"),
    Number("MKN", ("m",), integer, 1),
    Number("MKN", ("k",), integer, 1),
    Number("MKN", ("n",), integer, 1),
    Number("Mpi", names.PROCESSES, integer, 1),
    Number("Application", names.EXECUTION_TIME, real, 0),
    Number("Application", names.CPUS, real, 0),
    Number("Data", names.DATA_VOLUME, real, 0),
)


def check_numbers(graph: LogicalGraph, report: Report) -> None:
    """Find numbers that are missing, are none, or are too small."""
    for node in graph.nodes.values():
        strict: set[int] = set()
        for number in NUMBERS:
            if number.of in {node.category, node.category_type}:
                strict.add(_check(number, node, node, report))
        for app in node.apps():
            strict |= {_check(n, app, node, report) for n in NUMBERS if n.of == "Application"}
        _check_types(node, strict, report)


def _check(number: Number, owner: Node | EmbeddedApp, node: Node, report: Report) -> int:
    """Return the identity of the field that was looked at, 0 for none."""
    field = owner.field(*number.names)
    if field is None or _is_empty(field.effective):
        if number.if_missing:
            what = f"a {node.category} needs {number.names[0]}"
            report.add(number.if_missing, what, Place(node.pointer, node.name, node.id))
        return id(field) if field is not None else 0
    place = Place(field.pointer or node.pointer, node.name, node.id)
    try:
        value = number.read(field.effective)
    except (IllTypedError, TypeError) as error:
        report.add("ill-typed-value", f"{field.name}: {error}", place)
    else:
        if value < number.least:
            what = f"{field.name} is {field.effective}, which is less than {number.least}"
            report.add("out-of-range", what, place)
    return id(field)


def _check_types(node: Node, strict: set[int], report: Report) -> None:
    """Find values that are not what their fields say they are."""
    for field in node.all_fields():
        if field.type in _TYPED and id(field) not in strict and not _is_unset(field):
            try:
                cast(field.effective, field.type)
            except IllTypedError as error:
                place = Place(field.pointer, node.name, node.id)
                what = f"{field.name} is of type {field.type}: {error}"
                report.add("doubtful-value", what, place)


def _is_unset(field: Field) -> bool:
    return _is_empty(field.effective) or field.effective == "None"


def _is_empty(value: object) -> bool:
    return value is None or value == ""
