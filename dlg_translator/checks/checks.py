"""The checks of a logical graph, in the order in which their findings are told."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from dlg_translator.checks import flow, groups, numbers, things
from dlg_translator.checks.kinds import Report
from dlg_translator.model.logical import LogicalGraph

CHECKS: Sequence[Callable[[LogicalGraph, Report], None]] = (
    numbers.check_numbers,
    groups.check_group_keys,
    groups.check_widths,
    groups.check_contents,
    things.check_anything,
    things.check_categories,
    things.check_classes,
    flow.check_ends,
    flow.check_unconnected,
    flow.check_cycles,
)


def check(graph: LogicalGraph, report: Report) -> None:
    """Add everything that is wrong with `graph` to `report`."""
    for one in CHECKS:
        one(graph, report)
