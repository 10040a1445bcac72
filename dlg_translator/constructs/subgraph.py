"""SubGraph: a part of the drawing with a frame of its own."""

from __future__ import annotations

from typing import ClassVar

from dlg_translator.constructs.contract import Construct, Lowering, outside_apps
from dlg_translator.model.logical import Node
from dlg_translator.model.plan import Group, GroupKind


class SubGraph(Construct):
    """What is inside, once; its applications run before and after it."""

    category: ClassVar[str] = "SubGraph"

    def path_inside(self, node: Node, path: tuple[str, ...], state: Lowering) -> tuple[str, ...]:
        """Add a level that repeats nothing."""
        state.plan.groups[node.id] = Group(node.id, GroupKind.ONCE, path, 1)
        return (*path, node.id)

    def lower(self, node: Node, path: tuple[str, ...], state: Lowering) -> None:
        """Add the applications around the frame."""
        outside_apps(node, path, state)
