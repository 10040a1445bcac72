"""Scatter: independent copies of what is inside."""

from __future__ import annotations

from typing import ClassVar

from dlg_translator.constructs.contract import Construct, Lowering, outside_apps, width_of
from dlg_translator.model.logical import Node
from dlg_translator.model.names import COPIES
from dlg_translator.model.plan import Group, GroupKind


class Scatter(Construct):
    """As many copies as `num_of_copies` says; its application runs once, before them."""

    category: ClassVar[str] = "Scatter"

    def path_inside(self, node: Node, path: tuple[str, ...], state: Lowering) -> tuple[str, ...]:
        """Add the group of copies."""
        width = width_of(node, COPIES)
        state.plan.groups[node.id] = Group(node.id, GroupKind.COPIES, path, width)
        return (*path, node.id)

    def lower(self, node: Node, path: tuple[str, ...], state: Lowering) -> None:
        """Add the applications outside of the copies."""
        outside_apps(node, path, state)
